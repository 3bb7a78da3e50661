"""What safety costs: throughput and latency of settings and techniques, side by side in one lab.

Every figure is the median of several rounds, and in each round all rows of a group are measured one
after the other, so that a noisy minute meets all of them; the ratio is to the group's first row in
the same round. Four questions:

- `acks` and `min.insync.replicas`: a producer alone, through its proxied links;
- how orders are published: producers (and relays) of the pipeline as fast as they can, one order a
  transaction; and, at a steady rate, the time from an order's commit to its effect;
- how redelivery is made harmless: consumers that work off a backlog; and the same latency;
- one node lost: what is acknowledged while the leader is gone, and the longest gap.

    .venv/bin/python benchmarks/price.py --rounds 3 --output price.json
    .venv/bin/harness report runs/… --price price.json -o report.html
"""

import argparse
import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from statistics import median

import psycopg
from confluent_kafka import KafkaError, Message, Producer

from harness.clock import monotonic_s, sleep, wait_until
from harness.lab.local.boot import start_local_lab
from harness.lab.protocol import Lab
from harness.lab.values import NODES, TopicSpec
from harness.report.price import write_price
from harness.report.tables import Price, PriceRow
from harness.run.events import Events
from harness.run.plan import spec_of
from harness.run.stage import Stage
from harness.schedule.values import Schedule, Workload

ACKS: Mapping[str, dict[str, str | bool]] = {
    "acks=0": {"acks": "0"},
    "acks=1": {"acks": "1"},
    "acks=all": {"acks": "all"},
    "acks=all, idempotent": {"acks": "all", "enable.idempotence": True},
}
PUBLISHING = {
    "outbox, rows marked": "safe",
    "outbox, rows deleted": "outbox-delete",
    "outbox, a transaction a batch": "transactional-relay",
    "sent after the commit (unsafe)": "dual-write-after-commit",
    "sent in the transaction (unsafe)": "dual-write-in-transaction",
}
IDEMPOTENCY = {
    "none (unsafe)": "no-dedup",
    "unique key": "unique-key",
    "processed-id table": "processed-table",
    "optimistic locking": "optimistic-locking",
    "Redis lock, fenced": "lock-redis-fenced",
    "ZooKeeper lock, fenced": "lock-zookeeper-fenced",
}
PAYLOAD = b"x" * 200
RAW_MESSAGES = 200_000
BACKLOG = 60_000
"""So many that eight tenths of them take the fastest consumers most of a second."""
WINDOW_S = 5.0
STEADY_PER_S = 200
LOST_S = 8.0
"""How long a node is lost: longer than its session, so that leadership moves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One round of one row."""

    messages_per_s: float
    latencies_ms: Sequence[float]
    gap_s: float = 0.0
    """The longest time without an acknowledgement."""


def main() -> None:
    """Measure, print, and write the file if one is named."""
    asked = _arguments()
    rows: list[PriceRow] = []
    ratios: list[float] = []
    with start_local_lab(progress=print) as lab:
        for group, measures in _groups(lab).items():
            if asked.only and group not in asked.only:
                continue
            samples: dict[str, list[Sample]] = {name: [] for name in measures}
            for number in range(asked.rounds):
                for name, measure in measures.items():
                    samples[name].append(measure())
                    print(f"{group}, {name}, round {number + 1}: {_told(samples[name][-1])}")
            rows += [_row(group, name, taken) for name, taken in samples.items()]
            ratios += [_ratio(taken, next(iter(samples.values()))) for taken in samples.values()]
        conditions = {"kafka": str(lab.describe()["kafka"]), "rounds": str(asked.rounds)}
    print("\n| | messages/s | ratio | p50 ms | p99 ms | |\n|---|---|---|---|---|---|")
    for row, ratio in zip(rows, ratios, strict=True):
        rate = f"{row.messages_per_s:,.0f} | {ratio:.2f}"
        figures = f"{rate} | {row.p50_ms:.1f} | {row.p99_ms:.1f}"
        print(f"| {row.group}: {row.name} | {figures} | {row.note} |")
    if asked.output:
        measured = datetime.now(tz=UTC).isoformat(timespec="seconds")
        write_price(Price(measured=measured, conditions=conditions, rows=tuple(rows)), asked.output)


def _groups(lab: Lab) -> dict[str, dict[str, Callable[[], Sample]]]:
    return {
        "acks, two replicas in sync": {
            name: partial(_raw, lab, settings, min_insync=2) for name, settings in ACKS.items()
        },
        "min.insync.replicas, acks=all": {
            str(count): partial(_raw, lab, ACKS["acks=all"], min_insync=count) for count in NODES
        },
        "publishing an order": {
            name: partial(_published, lab, variant) for name, variant in PUBLISHING.items()
        },
        "processing a message once": {
            name: partial(_processed, lab, variant) for name, variant in IDEMPOTENCY.items()
        },
        f"a leader lost for {LOST_S:g} s, acks=all": {
            f"min.insync.replicas={count}": partial(_node_lost, lab, min_insync=count)
            for count in (2, 3)
        },
    }


def _row(group: str, name: str, samples: Sequence[Sample]) -> PriceRow:
    latencies = sorted(each for sample in samples for each in sample.latencies_ms)
    gap_s = median(sample.gap_s for sample in samples)
    return PriceRow(
        group=group,
        name=name,
        messages_per_s=round(median(sample.messages_per_s for sample in samples), 1),
        p50_ms=round(latencies[len(latencies) // 2], 2),
        p99_ms=round(latencies[len(latencies) * 99 // 100], 2),
        note=f"longest gap between acknowledgements {gap_s:.1f} s" if gap_s else "",
    )


def _ratio(samples: Sequence[Sample], reference: Sequence[Sample]) -> float:
    """Return the median over the rounds of the throughput beside that of the reference."""
    beside = zip(samples, reference, strict=True)
    return median(one.messages_per_s / other.messages_per_s for one, other in beside)


def _told(sample: Sample) -> str:
    return f"{sample.messages_per_s:,.0f}/s, p50 {median(sample.latencies_ms):.1f} ms"


class _Sender:
    """A producer that knows when each of its messages was acknowledged."""

    def __init__(self, lab: Lab, settings: Mapping[str, str | bool], topic: str) -> None:
        own = {
            "linger.ms": 2,
            "request.timeout.ms": 2000,
            "queue.buffering.max.messages": 500_000,
            "log_level": 3,  # that a dead leader refuses is what is asked for
        }
        self._producer = Producer({"bootstrap.servers": lab.bootstrap(1), **own, **settings})
        self._topic = topic
        self.acked_s: list[float] = []
        self.latencies_ms: list[float] = []

    def send(self, *, measured: bool = False) -> None:
        """Hand one message over; its latency is taken if it is `measured`."""
        sent_s = time.monotonic()

        def reported(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                now_s = time.monotonic()
                self.acked_s.append(now_s)
                if measured:
                    self.latencies_ms.append((now_s - sent_s) * 1000)

        self._producer.produce(self._topic, PAYLOAD, on_delivery=reported)
        self._producer.poll(0)

    def send_steadily(self, per_s: float, *, seconds: float) -> None:
        """Send at a rate, with latencies."""
        began_s = time.monotonic()
        for number in range(int(per_s * seconds)):
            while (wait_s := began_s + number / per_s - time.monotonic()) > 0:
                self._producer.poll(min(wait_s, 0.001))
            self.send(measured=True)

    def flush(self) -> None:
        """Wait until everything is acknowledged."""
        if left := self._producer.flush(30):
            raise SystemExit(f"{left} messages were not acknowledged")


def _raw(lab: Lab, settings: Mapping[str, str | bool], *, min_insync: int) -> Sample:
    with _topic(lab, min_insync=min_insync) as topic:
        sender = _Sender(lab, settings, topic)
        sender.send_steadily(STEADY_PER_S, seconds=0.5)  # connections, metadata, first batches
        sender.flush()
        sender.latencies_ms.clear()
        began_s = time.monotonic()
        for _ in range(RAW_MESSAGES):
            sender.send()
        sender.flush()
        rate = RAW_MESSAGES / (time.monotonic() - began_s)
        sender.send_steadily(STEADY_PER_S, seconds=3)
        sender.flush()
    return Sample(messages_per_s=rate, latencies_ms=sender.latencies_ms)


def _node_lost(lab: Lab, *, min_insync: int) -> Sample:
    """Kill the leader of a topic's only partition under load; it comes back after a while."""
    with _topic(lab, min_insync=min_insync, partitions=1) as topic:
        sender = _Sender(lab, ACKS["acks=all, idempotent"], topic)
        sender.send_steadily(STEADY_PER_S, seconds=1)
        leader = next(at.leader for at in lab.cluster.partitions() if at.topic == topic)
        lab.nodes[leader].kill()
        sender.latencies_ms.clear()
        began_s = time.monotonic()
        sender.send_steadily(STEADY_PER_S, seconds=LOST_S)
        acked = sum(at_s >= began_s for at_s in sender.acked_s)
        lab.nodes[leader].start()
        sender.flush()
        _await_in_sync(lab)
    moments = [began_s, *(at_s for at_s in sender.acked_s if at_s >= began_s)]
    return Sample(
        messages_per_s=acked / LOST_S,
        latencies_ms=sender.latencies_ms,
        gap_s=max(later - earlier for earlier, later in pairwise(moments)),
    )


@contextmanager
def _topic(lab: Lab, *, min_insync: int, partitions: int = 3) -> Iterator[str]:
    name = f"price-{secrets.token_hex(3)}"
    config = {"min.insync.replicas": str(min_insync)}
    spec = TopicSpec(name=name, partitions=partitions, replication_factor=3, config=config)
    lab.cluster.create_topics([spec])
    try:
        yield name
    finally:
        lab.cluster.delete_topics([name])


def _await_in_sync(lab: Lab) -> None:
    wait_until(
        lambda: all(len(at.isr) == len(at.replicas) for at in lab.cluster.partitions()),
        deadline_s=60,
        describe="every replica to be in sync again",
    )


def _published(lab: Lab, variant: str) -> Sample:
    """Measure producers and relays alone, then the whole pipeline at a steady rate."""
    with _stage(lab, variant, rate=0) as stage:
        for role, instance in stage.supervisor.instances():
            if role != "consumer":
                stage.supervisor.start(role, instance)
        _await(stage, lambda: _in_log(stage) > STEADY_PER_S, what="the first messages in the log")
        began_s, before = monotonic_s(), _in_log(stage)
        sleep(WINDOW_S)
        rate = (_in_log(stage) - before) / (monotonic_s() - began_s)
    return Sample(messages_per_s=rate, latencies_ms=_latencies(lab, variant))


def _processed(lab: Lab, variant: str) -> Sample:
    """Measure consumers that find a backlog, then the whole pipeline at a steady rate."""
    with _stage(lab, variant, rate=0, batch=20) as stage:
        supervisor = stage.supervisor
        consumers = [one for one in supervisor.instances() if one[0] == "consumer"]
        for one in supervisor.instances():
            if one not in consumers:
                supervisor.start(*one)
        _await(stage, lambda: _in_log(stage) >= BACKLOG, what="the backlog")
        supervisor.stop_load()
        committed = supervisor.totals()["committed"]
        _await(stage, lambda: _in_log(stage) >= committed, what="the rest of the backlog")
        for one in consumers:
            supervisor.start(*one)
        _await(stage, lambda: _effects(stage) > committed // 10, what="the first tenth of effects")
        _analyze(stage)
        began_s, before = monotonic_s(), _effects(stage)
        _await(stage, lambda: _effects(stage) > committed * 9 // 10, what="nine tenths of effects")
        rate = (_effects(stage) - before) / (monotonic_s() - began_s)
    return Sample(messages_per_s=rate, latencies_ms=_latencies(lab, variant))


def _analyze(stage: Stage) -> None:
    """Do what autovacuum would within a minute: without statistics a young table is read whole."""
    with psycopg.connect(stage.lab.database.url(stage.database), autocommit=True) as connection:
        connection.execute("ANALYZE")


def _latencies(lab: Lab, variant: str) -> list[float]:
    """Return the milliseconds from each order's commit to its effect, at a steady rate."""
    with _stage(lab, variant, rate=STEADY_PER_S) as stage:
        stage.supervisor.start_all()
        _await(stage, lambda: _effects(stage) > STEADY_PER_S, what="the first effects")
        sleep(WINDOW_S)
        stage.supervisor.stop_load()
        committed = stage.supervisor.totals()["committed"]
        _await(stage, lambda: _effects(stage) >= committed, what="all effects")
        stage.supervisor.stop_all()
        journals = [stage.supervisor.journal(*one) for one in stage.supervisor.instances()]
        at_us = {event: _moments(journals, event) for event in ("committed", "effect")}
    both = sorted(at_us["committed"].keys() & at_us["effect"].keys())
    warm = both[STEADY_PER_S:]  # the first second waits for connections and a group
    return [(at_us["effect"][one] - at_us["committed"][one]) / 1000 for one in warm]


def _moments(journals: Sequence[Path], event: str) -> dict[int, int]:
    lines = (json.loads(line) for file in journals if file.exists() for line in file.open())
    return {one: line["at_us"] for line in lines if line["event"] == event for one in line["ids"]}


@contextmanager
def _stage(lab: Lab, variant: str, *, rate: int, batch: int = 1) -> Iterator[Stage]:
    spec = spec_of("outbox", variant)
    workload = Workload(rate_per_s=rate, batch=batch)
    schedule = Schedule(
        pipeline="outbox", variant=variant, faults=(), workload=workload, budget="safe", seed=1
    )
    for service in spec.lock_services:
        lab.lock_service(service)
    with (
        tempfile.TemporaryDirectory(prefix="price-") as folder,
        Stage(lab, spec, schedule, folder=Path(folder), events=Events()) as stage,
    ):
        yield stage


def _await(stage: Stage, condition: Callable[[], bool], *, what: str) -> None:
    def come() -> bool:
        stage.supervisor.poll()
        return condition()

    wait_until(come, deadline_s=120, describe=what, last_seen=stage.supervisor.totals, poll_s=0.02)


def _in_log(stage: Stage) -> int:
    wanted = [
        (stage.topics[name], number)
        for name, topic in stage.spec.topics.items()
        for number in range(topic.partitions)
    ]
    return sum(stage.lab.cluster.ends(wanted).values())


def _effects(stage: Stage) -> int:
    return stage.supervisor.totals().get("processed", 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", help="a group's name; may be repeated")
    parser.add_argument("--output", type=Path, help="where the figures are written, as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
