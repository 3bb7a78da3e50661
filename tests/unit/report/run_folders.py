"""Run folders and campaigns as the harness leaves them, small and whole until a test tears them."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.campaign.folder import Asked, CampaignFolder
from harness.campaign.result import Job, Result, result_from
from harness.ledger.findings import FaultSeen, Finding, Hop, Kind, NotMade, Outcome, Total, Verdict
from harness.ledger.judge import write_verdict
from harness.pipeline.loader import load_pipeline
from harness.pipeline.variant import apply, load_variant
from harness.schedule.codec import fingerprint, to_json
from harness.schedule.network_words import isolate
from harness.schedule.values import Schedule
from harness.schedule.words import leader

BEGAN_US = 1_764_000_000_000_000
CUT = isolate(leader("orders", 0)).after(acked=300).for_seconds(2)
LINKS = [
    *(
        f"{plane}:{a}->{b}"
        for plane in ("replication", "quorum")
        for a in "123"
        for b in "123"
        if a != b
    ),
    *(f"client:slot{slot}->{node}" for slot in range(1, 9) for node in "123"),
    *(f"database:slot{slot}->database" for slot in range(1, 9)),
]
SLOTS = {"relay-0": 1, "consumer-0": 2, "consumer-1": 3, "producer-0": 4}
CUT_LINKS = [link for link in LINKS if link[:6] in ("replic", "quorum") and "2" in link]
EVIDENCE = [
    "10 open connections on 8 links met it",
    "800 bytes were sent into it while it was in force, 80 bytes of answers came out",
]
IDLE = "quorum:3->2"
MET = {
    link: {"connections": 0 if link == IDLE else 2, "bytes_sent": 0, "bytes_answered": 0}
    for link in CUT_LINKS
} | {"replication:1->2": {"connections": 1, "bytes_sent": 800, "bytes_answered": 80}}
LOST = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=2)


def at(seconds: float, event: str, **fields: object) -> dict[str, object]:
    """Return an event of a timeline, so many seconds after it began."""
    return {"at_us": BEGAN_US + round(seconds * 1e6), "event": event, **fields}


def isr(seconds: float, *nodes: int, leader: int = 2, epoch: int = 0) -> dict[str, object]:
    """Return a state of orders/0."""
    return at(
        seconds, "partition", topic="orders", partition=0, leader=leader, epoch=epoch, isr=[*nodes]
    )


def told(seconds: float, committed: int, acked: int, processed: int) -> dict[str, object]:
    """Return an event of progress."""
    counts = {"committed": committed, "acked": acked, "processed": processed}
    return at(seconds, "progress", **counts, log=acked, effects=processed)


def fault(seconds: float, state: str, **fields: object) -> dict[str, object]:
    """Return a state of fault 0, the isolation of node 2."""
    what = "isolate node 2 from peers (hold)"
    return at(seconds, "fault", fault=0, state=state, what=what, **fields)


TIMELINE = (
    isr(0, 1, 2, 3),
    at(0.1, "phase", phase="warm-up"),
    at(0.2, "role", role="relay", instance=0, state="started", pid=7),
    told(0.5, 0, 0, 0),
    at(1, "phase", phase="storm"),
    told(1.1, 300, 290, 280),
    fault(2, "asked", resolved={"node": 2, "links": CUT_LINKS}),
    fault(2.1, "held"),
    isr(3.5, 2),
    isr(3.7, 1, 3, leader=1, epoch=1),
    told(4, 700, 500, 500),
    fault(4.5, "healed", bit=True, evidence=EVIDENCE, met=MET),
    isr(5.25, 1, 2, 3, leader=1, epoch=1),
    fault(5.3, "verified", bit=True, evidence=EVIDENCE, met=MET),
    at(5.5, "phase", phase="heal"),
    told(5.75, 800, 800, 750),
    at(6, "phase", phase="drain"),
    at(6.1, "drained", complete=True, waited_s=0.1, why="every committed message has its effect"),
    at(6.2, "phase", phase="read"),
    at(6.5, "role", role="relay", instance=0, state="exited", code=0, asked=True, point=None),
    at(7, "phase", phase="check"),
    at(7, "phase", phase="done"),
)  # fmt: skip


def environment(variant: str | None) -> dict[str, Any]:
    """Return what a run of the reference pipeline says of itself."""
    spec = load_pipeline("outbox")
    said = None
    if variant is not None:
        said = load_variant(variant, spec=spec)
        spec = apply(spec, said)
    node = {"broker.session.timeout.ms": "2000", "min.insync.replicas": "2"}
    return {
        "harness": "0.1.0",
        "variant": said and asdict(said),
        "lab": {
            "backend": "local",
            "profile": "fast",
            "kafka": "4.3.1",
            "features": "",
            "versions": {"java": "17.0.15 (PATH: /usr/bin/java)", "kafka": "4.3.1 (Maven: /x)"},
            "nodes": {each: {**node, "node.id": each} for each in "123"},
            "links": {link: {} for link in LINKS},
        },
        "slots": SLOTS,
        "pipeline": {"name": "outbox", "document": spec.document},
    }


def verdict(outcome: Outcome, *, totals: Iterable[Total] = (), bit: bool = True) -> Verdict:
    """Return the verdict of a run with one fault and 800 messages; a finding for each count."""
    totals = tuple(totals)
    findings = [
        Finding(
            kind=total.kind,
            hop=total.hop,
            message_id=number,
            sentence=f"message {number} is gone",
            rows=(
                {"witness": "intents", "key": "k" * 10_000, "topic": "<script>alert(1)</script>"},
            ),
        )
        for total in totals
        for number in range(1, total.count + 1)
    ]
    return Verdict(
        outcome=outcome,
        reasons=() if outcome is Outcome.PASSED else (f"{outcome}: for a reason",),
        findings=tuple(findings),
        totals=totals,
        faults=(
            FaultSeen(
                index=0, what="isolate node 2 from peers (hold)", state="verified", bit=bit,
                evidence=tuple(EVIDENCE),
            ),
        ),
        figures={
            "messages_committed": 800, "longest_ack_gap_ms": 1900.0, "consumers": 1,
            "log_duplicates": 5, "deliveries_journalled": 803, "redeliveries_absorbed": 3,
        },
        checks_not_made=(NotMade(check="aborted-effect", why="log without column aborted"),),
        conditions={"profile": "fast", "kafka": "4.3.1"},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class MakeRun:
    """Writes the folder of one run, below `runs` unless it is told where."""

    below: Path

    def __call__(
        self,
        name: str = "20260101T000000.000-outbox-1a2b3c4d5e6f",
        *,
        outcome: Outcome = Outcome.PASSED,
        totals: Iterable[Total] = (),
        variant: str | None = None,
        schedule: Schedule | None = None,
        timeline: Iterable[object] = TIMELINE,
        bit: bool = True,
        into: Path | None = None,
    ) -> Path:
        """Write it; return where it is."""
        folder = (into or self.below / "runs") / name
        folder.mkdir(parents=True)
        played = schedule or Schedule(pipeline="outbox", variant=variant, faults=(CUT,))
        (folder / "schedule.json").write_text(to_json(played))
        (folder / "environment.json").write_text(json.dumps(environment(variant)))
        lines = "".join(json.dumps(event) + "\n" for event in timeline)
        (folder / "timeline.jsonl").write_text(lines)
        write_verdict(folder, verdict(outcome, totals=totals, bit=bit))
        return folder


@dataclass(frozen=True, slots=True)
class MakeCampaign:
    """Writes a campaign with one run for each outcome that it is given."""

    below: Path
    make_run: MakeRun

    def __call__(
        self,
        outcomes: dict[int, Outcome],
        *,
        seed: int = 3,
        shard: int = 1,
        of: int = 1,
        where: str = "campaigns",
    ) -> CampaignFolder:
        """Write it; return it."""
        asked = Asked(pipeline="outbox", seed=seed, shard=shard, of=of)
        campaign = CampaignFolder.make(self.below / where, asked)
        for number, outcome in outcomes.items():
            schedule = Schedule(pipeline="outbox", faults=(CUT,), seed=number)
            totals = [LOST] if outcome is Outcome.FAILED else []
            run = self.make_run(
                f"20260101T0000{number:02}.000-outbox-{fingerprint(schedule)}",
                outcome=outcome, totals=totals, schedule=schedule, into=campaign.runs,
            )  # fmt: skip
            campaign.add(_result(number, schedule, run), keep="failed")
        return campaign


def _result(number: int, schedule: Schedule, run: Path) -> Result:
    return result_from(
        Job(index=number, schedule=schedule, phase="single"),
        Verdict.from_json((run / "verdict.json").read_bytes()),
        folder=run,
        took_s=9.0 + number,
        fingerprint=fingerprint(schedule),
        expects=None,
    )
