"""How many messages a second the reference pipeline sustains on a real local lab.

Runs the pipeline without a fault and prints, for each batch size, what the producer committed, what
reached the log and what took effect in the same window; then lets it drain and checks that nothing
is missing. Usage: python benchmarks/throughput.py [--seconds 10] [--rate 0] [--batch 1 20]
"""

import argparse
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from confluent_kafka import Consumer, TopicPartition

from harness.clock import monotonic_s, sleep, wait_until
from harness.lab.local.boot import start_local_lab
from harness.lab.protocol import Lab
from harness.lab.values import TopicSpec
from harness.pipeline.loader import load_pipeline
from harness.pipeline.spec import Spec, topic_variable
from harness.pipeline.supervisor import Supervisor

WARM_UP_MESSAGES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How many messages had come how far at one moment."""

    at_s: float
    committed: int
    log: int
    effects: int
    cpu_s: float
    """Processor time of the lab and the pipeline together, this process left out."""


class Bench:
    """One measurement: its own topic, database and processes."""

    def __init__(self, lab: Lab, spec: Spec, *, rate: int, batch: int) -> None:
        tag = secrets.token_hex(3)
        self._lab, self._spec = lab, spec
        self._workload = {"WORKLOAD_RATE": str(rate), "WORKLOAD_BATCH": str(batch)}
        self._topics = {logical: f"{logical}-{tag}" for logical in spec.topics}
        self._database = f"bench_{tag}"
        self._slots = {one: slot for slot, one in enumerate(spec.instances(), start=1)}
        self._reader = Consumer(
            {"bootstrap.servers": lab.cluster.bootstrap, "group.id": f"bench-{tag}"}
        )

    def prepare(self) -> None:
        """Make the topics and the tables."""
        self._lab.cluster.create_topics(
            TopicSpec(
                name=self._topics[logical],
                partitions=topic.partitions,
                replication_factor=topic.replication_factor,
                config=topic.config,
            )
            for logical, topic in self._spec.topics.items()
        )
        self._lab.database.create(self._database)
        schema = self._spec.schema_path
        url = self._lab.database_url(1, self._database)
        with psycopg.connect(url) as connection:
            connection.execute(schema.read_text() if schema else "")

    def environment(self, role: str, instance: int) -> Mapping[str, str]:
        """Return what a role is given."""
        slot = self._slots[role, instance]
        topics = {topic_variable(logical): name for logical, name in self._topics.items()}
        return {
            **self._lab.role_environment(),
            **self._workload,
            **topics,
            "KAFKA_BOOTSTRAP_SERVERS": self._lab.bootstrap(slot),
            "DATABASE_URL": self._lab.database_url(slot, self._database),
            "KAFKA_GROUP_ID": self._database,
        }

    def sample(self, supervisor: Supervisor) -> Sample:
        """Return how far everything is now."""
        totals = supervisor.totals()
        return Sample(
            at_s=monotonic_s(),
            committed=totals.get("committed", 0),
            log=self._in_log(),
            effects=totals.get("processed", 0),
            cpu_s=_cpu_s(),
        )

    def _in_log(self) -> int:
        return sum(
            self._reader.get_watermark_offsets(TopicPartition(name, number), timeout=5)[1]
            for logical, name in self._topics.items()
            for number in range(self._spec.topics[logical].partitions)
        )

    def run(self, *, seconds: float) -> tuple[Sample, Sample, Sample]:
        """Return the samples at the begin and the end of the window, and after the drain."""
        with (
            tempfile.TemporaryDirectory(prefix="bench-") as folder,
            Supervisor(
                self._spec,
                environment=self.environment,
                run_folder=Path(folder),
                start_container=self._lab.start_role,
            ) as supervisor,
        ):
            supervisor.start_all()
            wait_until(
                lambda: supervisor.totals().get("processed", 0) > WARM_UP_MESSAGES,
                deadline_s=60,
                describe="the pipeline to be warm",
                last_seen=lambda: (supervisor.totals(), supervisor.output("consumer")),
            )
            before = self.sample(supervisor)
            sleep(seconds)
            after = self.sample(supervisor)
            supervisor.stop_load()
            committed = supervisor.totals()["committed"]
            wait_until(
                lambda: supervisor.totals()["processed"] >= committed,
                deadline_s=60,
                describe=f"all {committed} messages to take effect",
                last_seen=supervisor.totals,
            )
            drained = self.sample(supervisor)
            supervisor.stop_all()
        return before, after, drained

    def close(self) -> None:
        """Remove topics and tables."""
        self._reader.close()
        self._lab.database.drop(self._database)
        self._lab.cluster.delete_topics(self._topics.values())


def sentence(before: Sample, after: Sample, drained: Sample) -> str:
    """Put one measurement into words."""
    window_s = after.at_s - before.at_s
    rates = ", ".join(
        f"{what} {(getattr(after, what) - getattr(before, what)) / window_s:,.0f}/s"
        for what in ("committed", "log", "effects")
    )
    cpu_ms = (after.cpu_s - before.cpu_s) / (after.effects - before.effects) * 1000
    return (
        f"{rates}; {cpu_ms:.2f} ms of processor time a message; "
        f"{after.committed - after.effects:,} waiting at the end, "
        f"drained in {drained.at_s - after.at_s:.1f} s; {drained.committed:,} committed, "
        f"{drained.log:,} in the log, {drained.effects:,} effects"
    )


def _cpu_s() -> float:
    """Return the processor time of everything below this process."""
    spent_s = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            spent_s += times.user + times.system
    return spent_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rate", type=int, default=0, help="messages a second; 0: all it can")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 20])
    options = parser.parse_args()
    with start_local_lab(progress=print) as lab:
        for batch in options.batch:
            bench = Bench(lab, load_pipeline("outbox"), rate=options.rate, batch=batch)
            bench.prepare()
            before, after, drained = bench.run(seconds=options.seconds)
            bench.close()
            print(f"batch {batch:>3}: {sentence(before, after, drained)}")


if __name__ == "__main__":
    main()
