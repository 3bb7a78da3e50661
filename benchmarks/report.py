"""Measures how long the report of a whole night takes, and how much memory.

    .venv/bin/python benchmarks/report.py --runs 2000
    .venv/bin/python benchmarks/report.py --runs 2000 --keep /tmp/night

The night is made up, in the folders and files that a campaign leaves: schedules that a campaign
would play, timelines as long as real ones, of every hundredth run a failure with its findings,
witnesses and journals, of every fiftieth no conclusion, and some folders that were torn. The report
is then made in a process of its own, by `harness report`.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from harness.campaign.campaign import sequence_of
from harness.campaign.folder import Asked, CampaignFolder
from harness.campaign.result import Job, result_from
from harness.clock import monotonic_s
from harness.ledger.findings import FaultSeen, Finding, Hop, Kind, NotMade, Outcome, Total, Verdict
from harness.ledger.judge import write_verdict
from harness.ledger.witness import write_witness
from harness.pipeline.loader import load_pipeline
from harness.run.folder import write_environment
from harness.schedule.codec import fingerprint, to_json
from harness.schedule.values import Schedule

MESSAGES = 3_000
LOST = 250
LENGTH_S = 11.0
BEGAN_US = 1_764_000_000_000_000
FAILED_EVERY, OPEN_EVERY, TORN_EVERY = 100, 50, 400
LINKS = [
    *(f"{plane}:{a}->{b}" for plane in ("replication", "quorum") for a in "123" for b in "123"),
    *(f"client:slot{slot}->{node}" for slot in range(1, 9) for node in "123"),
    *(f"database:slot{slot}->database" for slot in range(1, 9)),
]


def main() -> None:
    """Make a night, report it in another process, print what that took."""
    options = argparse.ArgumentParser(description="The report of a whole night: time and memory.")
    options.add_argument("--runs", type=int, default=2_000)
    options.add_argument("--keep", type=Path, help="keep the night there, with its report")
    asked = options.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="night-"))
    try:
        campaign = next(folder.glob("*-outbox-safe"), None) or make_night(folder, runs=asked.runs)
        measure(campaign, folder / "report.html")
    finally:
        if asked.keep is None:
            shutil.rmtree(folder)


def measure(campaign: Path, page: Path) -> None:
    """Print wall time, processor time and peak memory of `harness report`, and what it wrote."""
    command = "from harness.cli import main; main()"
    began = monotonic_s()
    subprocess.run(
        [sys.executable, "-c", command, "report", str(campaign), "-o", str(page)], check=True
    )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"wall {monotonic_s() - began:.1f} s, processor {used.ru_utime + used.ru_stime:.1f} s")
    print(f"peak memory {used.ru_maxrss / 1024:.0f} MB")
    for file in sorted(page.parent.glob("report.*")):
        print(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB")


def make_night(folder: Path, *, runs: int) -> Path:
    """Write a campaign of so many runs; return its folder."""
    asked = Asked(pipeline="outbox", seed=1)
    campaign, sequence = CampaignFolder.make(folder, asked), sequence_of(asked)
    said = environment()
    for number in range(runs):
        schedule = sequence.schedule(number)
        run = campaign.runs / f"20260101T{number:06}.000-outbox-{fingerprint(schedule)}"
        run.mkdir()
        (run / "schedule.json").write_text(to_json(schedule))
        write_environment(run, said)
        write_timeline(run, schedule)
        verdict = verdict_of(schedule, outcome=outcome_of(number))
        write_verdict(run, verdict)
        if verdict.outcome is Outcome.FAILED:
            write_traces(run)
        if number % TORN_EVERY == TORN_EVERY - 1:
            (run / "verdict.json").unlink()
            continue
        result = result_from(
            Job(index=number, schedule=schedule, phase=sequence.part(number)), verdict, folder=run,
            took_s=LENGTH_S + number % 7, fingerprint=fingerprint(schedule), expects=None,
        )  # fmt: skip
        campaign.add(result, keep="failed")
    return campaign.path


def outcome_of(number: int) -> Outcome:
    """Return the outcome of a run by its number."""
    if number % FAILED_EVERY == 0:
        return Outcome.FAILED
    return Outcome.VACUOUS if number % OPEN_EVERY == 1 else Outcome.PASSED


def environment() -> dict[str, object]:
    """Return an environment as large as a real one."""
    node = {f"some.setting.of.a.node.{number}": str(number) for number in range(48)}
    return {
        "harness": "0.1.0",
        "variant": None,
        "lab": {
            "backend": "local", "profile": "fast", "kafka": "4.3.1", "features": "",
            "versions": {"java": "17.0.15 (PATH)", "toxiproxy": "2.12.0 (go install)"},
            "nodes": {each: node | {"node.id": each} for each in "123"},
            "links": {link: {"listen": "127.0.0.1:1", "upstream": "127.0.0.1:2"} for link in LINKS},
        },
        "slots": {"relay-0": 1, "consumer-0": 2, "consumer-1": 3, "producer-0": 4},
        "pipeline": {"name": "outbox", "document": load_pipeline("outbox").document},
    }  # fmt: skip


def write_timeline(run: Path, schedule: Schedule) -> None:
    """Write some sixty events, as a run with these faults does."""
    with (run / "timeline.jsonl").open("w") as file:
        for at_s, event, fields in sorted(events_of(schedule), key=lambda each: each[0]):
            line = {"at_us": BEGAN_US + int(at_s * 1e6), "event": event, **fields}
            file.write(json.dumps(line) + "\n")


def events_of(schedule: Schedule) -> Iterator[tuple[float, str, dict[str, object]]]:
    """Yield partitions, phases, progress and the states of each fault."""
    for moved, isr in ((0.0, [1, 2, 3]), (4.0, [1, 2]), (6.0, [1, 2, 3])):
        for partition in range(9):
            yield (
                moved,
                "partition",
                {"topic": "orders", "partition": partition, "leader": 1, "epoch": 0, "isr": isr},
            )
    for at_s, phase in ((0.1, "warm-up"), (2.0, "storm"), (7.0, "heal"), (10.0, "read")):
        yield at_s, "phase", {"phase": phase}
    for tick in range(int(LENGTH_S * 2)):
        seen = tick * MESSAGES // 22
        yield tick / 2, "progress", dict.fromkeys(("committed", "acked", "processed"), seen)
    for place, fault in enumerate(schedule.faults):
        told = {"fault": place, "what": str(fault), "bit": True, "evidence": evidence()}
        yield 3.0, "fault", told | {"state": "asked", "resolved": {"node": 2, "links": LINKS[1:5]}}
        for at_s, state in ((3.1, "held"), (5.0, "healed"), (6.5, "verified")):
            yield at_s, "fault", told | {"state": state}


def evidence() -> list[str]:
    """Return evidence as drivers write it."""
    return [
        "4 open connections on 4 links met it",
        "800 bytes were sent into it while it was in force, 0 bytes of answers came out",
    ]


def verdict_of(schedule: Schedule, *, outcome: Outcome) -> Verdict:
    """Return a verdict; a failed one lists its findings."""
    lost = range(LOST if outcome is Outcome.FAILED else 0)
    return Verdict(
        outcome=outcome,
        reasons=() if outcome is Outcome.PASSED else (f"{outcome}: for a reason",),
        findings=tuple(
            Finding(
                kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, message_id=1_000 + number,
                sentence=f"message {number} was acknowledged, but the log lacks it",
                rows=({"witness": "intents", "topic": "orders", "key": f"key-{number}"},),
            )
            for number in lost
        ),
        totals=(Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=LOST),) if lost else (),
        faults=tuple(
            FaultSeen(
                index=place, what=str(fault), state="verified", bit=True, evidence=tuple(evidence())
            )
            for place, fault in enumerate(schedule.faults)
        ),
        figures={"messages_committed": MESSAGES, "longest_ack_gap_ms": 1900.0, "consumers": 1},
        checks_not_made=(NotMade(check="aborted-effect", why="log without column aborted"),),
        conditions={"profile": "fast", "kafka": "4.3.1"},
    )  # fmt: skip


def write_traces(run: Path) -> None:
    """Write the witnesses and journals of a failed run."""
    ids = list(range(MESSAGES))
    for name in ("witness", "journal"):
        (run / name).mkdir()
    write_witness(run, "intents", pa.table({"message_id": ids, "topic": ["orders"] * MESSAGES}))
    write_witness(run, "effects", pa.table({"message_id": ids, "consumer": ["c"] * MESSAGES}))
    for name, batch, events in (
        ("producer-0", 1, ("inserted", "committed")),
        ("relay-0", 20, ("claimed", "sent", "acked", "marked")),
        ("consumer-0", 50, ("delivered", "effect", "offsets-committed")),
    ):
        with (run / "journal" / f"{name}.jsonl").open("w") as file:
            lines = [(one, event) for one in range(0, MESSAGES, batch) for event in events]
            for n, (one, event) in enumerate(lines, start=1):
                line = {"n": n, "at_us": BEGAN_US + one * 3_000, "event": event}
                file.write(json.dumps(line | {"ids": ids[one : one + batch]}) + "\n")


if __name__ == "__main__":
    main()
