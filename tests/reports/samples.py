"""Parts of reports, made of values alone: faults, runs, time axes, a message's life, a failure."""

from dataclasses import replace
from math import sin
from typing import Literal

from harness.ledger.findings import Outcome
from harness.report import axis, cases, model, tables

WORDS = (
    ("kill leader of orders/0", "kill node 1", "300 acknowledged messages", "3 s after"),
    ("isolate leader of orders/0 from peers (hold)",
     "isolate node 1 from peers (hold)", "300 acknowledged messages", "4 s after"),
    ("relay 0 cannot reach leader of orders/1 (hold)", "relay 0 cannot reach node 3 (hold)",
     "1.2 s", "2 s after"),
    ("kill consumer 0 at before_offset_commit", "kill consumer 0", "pass 5 of its crash point",
     "1 s after"),
)  # fmt: skip
EVIDENCE = (
    "10 open connections on 8 links met it",
    "in-sync replicas of orders/0: [1, 2, 3] → [2, 3]",
    "leader of orders/0: 1 → 2 (epoch 0 → 1)",
)
CONDITIONS = {
    "Kafka": ("4.3.1",),
    "profile": ("fast",),
    "Java": ("17.0.15",),
    "Toxiproxy": ("2.12.0",),
    "PostgreSQL": ("15.18",),
    "backend": ("local",),
}
REASONS: dict[object, tuple[str, ...]] = {
    Outcome.FAILED: ("FAILED: lost (acked-not-in-log): 245 messages",),
    Outcome.VACUOUS: ("VACUOUS: fault 0 (kill node 1) met no traffic that anyone saw",),
    Outcome.UNKNOWN: ("UNKNOWN: node 2 exited unasked with code 137",),
    Outcome.HARNESS_ERROR: ("HARNESS_ERROR: a proxy is wedged",),
}
CONTRACT = (
    "out of contract, because no setting survives it: all replicas losing their unsynced tails at "
    "once, an operator who deletes the topic, retention shorter than the longest outage"
)


def fault(number: int, *, bit: bool = True, evidence: bool = False) -> cases.FaultLine:
    """Return one of a few faults."""
    words, what, starts, ends = WORDS[number % len(WORDS)]
    return cases.FaultLine(
        words=words,
        starts=starts,
        ends=ends,
        what=what,
        state="verified",
        bit=bit,
        evidence=EVIDENCE if evidence else (),
    )


def line(number: int, outcome: Outcome | None = Outcome.PASSED, **changes: object) -> model.RunLine:
    """Return a run of the list."""
    colours: dict[object, tables.Colour] = {Outcome.PASSED: "passed", Outcome.FAILED: "failed"}
    known = model.RunLine(
        key=f"r{number}",
        name=f"20261126T0{number % 10}{number % 60:02}13.{number % 1000:03}-outbox-{number:012x}",
        folder=f"campaigns/night/runs/{number}",
        outcome=outcome,
        colour=colours.get(outcome, "inconclusive"),
        incomplete="" if outcome else "verdict.json is missing: the run was broken off",
        reasons=REASONS.get(outcome, ()),
        totals=(),
        pipeline="outbox",
        variant=None,
        expects=None,
        caught=False,
        faults=tuple(fault(number + place) for place in range(1 + number % 3)),
        messages=1800 + number % 700,
        took_s=7.0 + number % 9,
        began="2026-11-26T00:06:16+00:00",
        campaign="night",
        number=number,
        phase="drawn",
        budget="safe",
        fingerprint=f"{number:012x}",
        story=number < 1,
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # its own fields


def curve(name: str, unit: str, length_s: float, points: int = 400) -> axis.Series:
    """Return a curve that stops in the middle of the run, as one does when a leader is cut off."""
    times = [round(length_s * place / (points - 1), 3) for place in range(points)]
    calm = {"consumer lag": 4.0, "in flight": 12.0}.get(name, 400.0)
    stopped = 0.0 if unit == "messages/s" else calm * 40
    values = [stopped if 4.2 < at < 6.4 else calm * (1 + sin(at * 9) / 8) for at in times]
    return axis.Series(name=name, unit=unit, times_s=tuple(times), values=tuple(values))


def life(message: str = "811") -> axis.MessageLife:
    """Return the life of a message that was acknowledged and is not in the log."""
    told = (
        (3.905, "producer-0", "wrote it inside a transaction", ()),
        (3.907, "producer-0", "committed it", ()),
        (3.931, "relay-0", "claimed it from the outbox", (0,)),
        (3.934, "relay-0", "sent it", (0,)),
        (3.934, "log", "stamped: the record at orders/0@201", (0,)),
        (4.012, "relay-0", "had it acknowledged at orders/0@201", (0,)),
        (4.015, "relay-0", "marked it as sent", (0,)),
    )
    return axis.MessageLife(
        message=message,
        accusation=f"message {message} was acknowledged, but the log lacks it",
        moments=tuple(
            axis.LifeMoment(at_s=at, who=who, words=words, in_force=force)
            for at, who, words, force in told
        ),
        held=(
            "intents: topic=orders key=key-0010 sequence=26 outcome=committed",
            "outbox: present",
            "sent: present",
            "log: nothing",
            "effects: nothing",
        ),
    )


def span(number: int, asked_s: float, healed_s: float, *, bit: bool = True) -> axis.Span:
    """Return a fault on the axis."""
    return axis.Span(
        fault=number,
        what=WORDS[(number + 1) % len(WORDS)][1],
        asked_s=asked_s,
        held_s=asked_s + 0.08,
        healed_s=healed_s,
        verified_s=healed_s + 0.3,
        state="verified",
        bit=bit,
        evidence=EVIDENCE if bit else ("nothing was sent on them while it was in force",),
    )


def story(run: str, why: str, *, lives: tuple[axis.MessageLife, ...] = ()) -> axis.RunStory:
    """Return a run of 12.6 s in which the leader is cut off and a consumer dies."""
    links = ("1 → 2", "1 → 3", "2 → 1", "3 → 1")
    first, second = span(0, 3.93, 7.98), span(1, 5.1, 6.9, bit=False)
    lanes = [axis.Lane(group="node", name="node 1", spans=(first,))]
    for plane in ("replication", "quorum"):
        lanes += [axis.Lane(group="link", name=f"{plane} {each}", spans=(first,)) for each in links]
    lanes.append(axis.Lane(group="role", name="relay-0", spans=(second,)))
    return axis.RunStory(
        run=run,
        why=why,
        length_s=12.6,
        phases=tuple(
            axis.PhaseSpan(name=name, from_s=begin, to_s=end)
            for name, begin, end in (
                ("warm-up", 0.0, 2.46), ("storm", 2.46, 8.3), ("heal", 8.3, 9.4),
                ("drain", 9.4, 11.2), ("read", 11.2, 12.3), ("check", 12.3, 12.6),
            )
        ),
        lanes=tuple(lanes),
        roles=_roles(),
        series=(
            curve("acknowledged", "messages/s", 12.6),
            curve("effects", "messages/s", 12.6),
            curve("in flight", "messages", 12.6),
            curve("consumer lag", "messages", 12.6),
        ),
        source="journals",
        partitions=_partitions(),
        controllers=tuple(
            axis.ControllerState(at_s=at, node=node) for at, node in ((0.0, 1), (5.2, 3))
        ),
        rebalances=_rebalances(),
        crashes=(axis.Crash(at_s=6.8, who="consumer-0", point="before_offset_commit"),),
        troubles=(),
        lives=lives,
        figures={"messages_committed": 2380, "drain_s": 1.8, "longest_ack_gap_ms": 2210.0},
    )  # fmt: skip


def _roles() -> tuple[axis.RoleLife, ...]:
    def lived(role: str, instance: int, begin: float, end: float, point: str = "") -> axis.RoleLife:
        return axis.RoleLife(
            role=role, instance=instance, from_s=begin, to_s=end, code=-9 if point else 0,
            asked=not point, point=point or None, output="",
        )  # fmt: skip

    return (
        lived("producer", 0, 0.06, 9.38),
        lived("relay", 0, 0.05, 11.2),
        lived("consumer", 0, 0.05, 6.8, "before_offset_commit"),
        lived("consumer", 0, 7.9, 11.2),
        lived("consumer", 1, 0.05, 11.2),
    )


def _partitions() -> tuple[axis.PartitionState, ...]:
    def state(
        at_s: float, partition: int, leader: int, *isr: int, epoch: int = 0
    ) -> axis.PartitionState:
        return axis.PartitionState(
            at_s=at_s, topic="orders", partition=partition, leader=leader, epoch=epoch, isr=isr
        )

    states = [state(0.0, number, number + 1, 1, 2, 3) for number in range(3)]
    states += [state(6.1, 0, 2, 2, 3, epoch=1), state(6.1, 1, 2, 2, 3)]
    states += [state(8.6, 0, 2, 1, 2, 3, epoch=1), state(8.7, 1, 2, 1, 2, 3)]
    return tuple(states)


def _rebalances() -> tuple[axis.Rebalance, ...]:
    def change(
        at_s: float, who: str, change: Literal["assigned", "revoked"], *partitions: int
    ) -> axis.Rebalance:
        return axis.Rebalance(
            at_s=at_s, who=who, change=change, topic="orders", partitions=partitions
        )

    return (
        change(0.7, "consumer-0", "assigned", 0, 1, 2),
        change(1.1, "consumer-0", "revoked", 2),
        change(1.2, "consumer-1", "assigned", 2),
        change(7.1, "consumer-1", "assigned", 0, 1, 2),
    )


def counterexample(key: str = "c0", *, expected: bool = False) -> cases.Counterexample:
    """Return a failure with all that belongs to it."""
    return cases.Counterexample(
        key=key,
        title="acks-1: lost, acked-not-in-log" if expected else "lost, acked-not-in-log",
        run="r0",
        expected=expected,
        pipeline="outbox",
        variant="acks-1" if expected else None,
        why="The leader acknowledges before any follower has the record; when another leader is "
        "elected the acknowledged tail is truncated."
        if expected
        else "",
        reference="Kafka producer documentation, `acks`" if expected else "",
        totals=(
            cases.FindingTotal(kind="lost", hop="acked-not-in-log", count=245),
            cases.FindingTotal(kind="overwritten-offset", hop=None, count=245),
        ),
        faults=(fault(1, evidence=True),),
        workload="400 messages/s, 1 a transaction, 32 keys, 200 bytes",
        schedule='{\n  "faults": [{"kind": "isolate", "flavour": "hold"}]\n}',
        minimised=True,
        share=cases.Share(hits=9, runs=10, low=0.596, high=0.982),
        share_of="of 10 run(s) when it was minimised",
        repeats=2,
        others=("r1",),
        others_count=1,
        commands=cases.Commands(
            play="harness run --schedule runs/20261125T205556.411-acks-1-02ceb042dbbf",
            replay="harness replay runs/20261125T205556.411-acks-1-02ceb042dbbf --times 20",
            minimise="harness minimise runs/20261125T205556.411-acks-1-02ceb042dbbf",
            check="harness check runs/20261125T205556.411-acks-1-02ceb042dbbf",
            explain="harness explain runs/20261125T205556.411-acks-1-02ceb042dbbf 811",
        ),
        versions=tuple(cases.Fact(name=name, values=of) for name, of in CONDITIONS.items()),
        configuration=(
            cases.Fact(name="topic orders", values=("6 partitions", "min.insync.replicas=2")),
            cases.Fact(name="broker.session.timeout.ms", values=("2000",)),
        ),
        differences=(
            cases.Difference(where="roles.relay.env.PRODUCER_ACKS", safe="all", here="1"),
            cases.Difference(where="roles.relay.env.ENABLE_IDEMPOTENCE", safe="true", here="false"),
        ),
        findings=(
            cases.FindingShown(
                kind="lost",
                hop="acked-not-in-log",
                message="811",
                consumer=None,
                sentence="message 811 was acknowledged, but the log lacks it",
                rows=(
                    cases.WitnessRow(
                        witness="intents",
                        columns=(("topic", "orders"), ("key", "key-0010"), ("sequence", "26")),
                    ),
                    cases.WitnessRow(witness="outbox", columns=()),
                ),
            ),
        ),
        life=life(),
    )
