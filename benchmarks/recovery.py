"""Measures how long a cluster needs to recover from each fault, under both profiles.

    .venv/bin/python benchmarks/recovery.py --profile fast --repeats 5 --save recovery.jsonl
    .venv/bin/python benchmarks/recovery.py --profile production --repeats 3 --save recovery.jsonl
    .venv/bin/python benchmarks/recovery.py --show recovery.jsonl

A steady producer (acks=all, idempotent, one record every 10 ms to one partition) writes through a
client slot with the reference pipeline's settings. The fault lasts until acknowledgements flow
again, and never shorter than a broker's session. "gap" is the longest time between two
acknowledgements; "heal" is from the end of the fault (for a dead node: from its start) until every
partition of the cluster has all its replicas in sync again.
"""

import argparse
import itertools
import json
import os
import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, cast

from confluent_kafka import KafkaError, Message, Producer

from harness.clock import monotonic_s, wait_until
from harness.lab.choice import LabChoice, choose
from harness.lab.profile import PROFILES
from harness.lab.protocol import Lab
from harness.lab.values import Link, PartitionState, TopicSpec
from harness.pipeline.reference.settings import producer_settings
from harness.run.session import default_start
from harness.schedule.network import Damage, Flavour

TOPIC = "recovery"
SLOT = 1
PACE_S = 0.01
STEADY_S = 1.0
FLOWING_S = 0.3
LEAST_S = {"fast": 2.5, "production": 10.0}
MOST_S = {"fast": 30.0, "production": 240.0}


class Load:
    """A producer in a thread, and when each acknowledgement came for a record of what age."""

    def __init__(self, lab: Lab) -> None:
        os.environ["KAFKA_BOOTSTRAP_SERVERS"] = lab.bootstrap(SLOT)
        os.environ["HARNESS_PROFILE"] = lab.profile.name
        self._producer = Producer(producer_settings() | {"log_level": 0}, error_cb=self._failed)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._produce)
        self.acks: list[tuple[float, float]] = []
        """When it came, when the record was sent."""
        self.lost: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._producer.purge()
        self._producer.flush(5)

    def _produce(self) -> None:
        while not self._stop.wait(PACE_S):
            sent_s = monotonic_s()

            def report(error: KafkaError | None, _message: Message, sent_s: float = sent_s) -> None:
                if error is None:
                    self.acks.append((monotonic_s(), sent_s))
                elif not self._stop.is_set():
                    self.lost.append(error.str())

            self._producer.produce(TOPIC, b"x" * 100, partition=0, on_delivery=report)
            self._producer.poll(0)

    def _failed(self, error: KafkaError) -> None:
        if error.fatal():
            self.lost.append(error.str())

    def flows_since(self, moment_s: float) -> bool:
        """Tell whether a record sent after that moment was acknowledged a moment ago."""
        came_s, sent_s = self.acks[-1] if self.acks else (0.0, 0.0)
        return sent_s > moment_s and monotonic_s() - came_s < FLOWING_S

    def gap_s(self, since_s: float) -> float:
        """Return the longest time between two acknowledgements that ended after a moment."""
        times = [came_s for came_s, _ in self.acks]
        pairs = itertools.pairwise(times)
        return max((after - before for before, after in pairs if after > since_s), default=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault: how it is done to the partition's leader, undone, and what shows it."""

    do: Callable[[Lab, PartitionState], None]
    undo: Callable[[Lab, PartitionState], None]
    took: Callable[[PartitionState, PartitionState], bool]
    aim: Callable[[Lab, PartitionState], PartitionState] = lambda _lab, at: at
    """Puts another node into the leader's place where the fault is not about the leader."""


def moved(before: PartitionState, now: PartitionState) -> bool:
    """Tell whether another node leads."""
    return now.leader not in (before.leader, -1)


def shrank(before: PartitionState, now: PartitionState) -> bool:
    """Tell whether a replica left the in-sync ones."""
    return len(now.isr) < len(before.isr)


def controlling(lab: Lab, at: PartitionState) -> PartitionState:
    """Aim at the active controller, whether it leads the partition or not."""
    node = wait_until(lab.cluster.controller, deadline_s=10, describe="a controller")
    return replace(at, leader=node)


def cut(flavour: Flavour, choose_links: Callable[[Lab, PartitionState], list[Link]]) -> Kind:
    """Return the kind that cuts these links in one flavour."""
    return Kind(
        do=lambda lab, at: lab.links.cut(choose_links(lab, at), damage=Damage(flavour=flavour)),
        undo=lambda lab, at: lab.links.heal(choose_links(lab, at)),
        took=shrank if choose_links is fetching else moved,
    )


def peers(lab: Lab, at: PartitionState) -> list[Link]:
    """Return the links between the leader and the other nodes."""
    planes = ("replication", "quorum")
    me = str(at.leader)
    return [x for x in lab.links.all() if x.plane in planes and me in (x.source, x.target)]


def everyone(lab: Lab, at: PartitionState) -> list[Link]:
    """Return all links of the leader, to its peers and to the producer."""
    mine = Link(plane="client", source=f"slot{SLOT}", target=str(at.leader))
    return [*peers(lab, at), mine]


def fetching(_lab: Lab, at: PartitionState) -> list[Link]:
    """Return the link on which the first follower fetches from the leader."""
    follower = next(node for node in at.replicas if node != at.leader)
    return [Link(plane="replication", source=str(follower), target=str(at.leader))]


KINDS: Mapping[str, Kind] = {
    "leader killed": Kind(
        do=lambda lab, at: lab.nodes[at.leader].kill(),
        undo=lambda lab, at: lab.nodes[at.leader].start(),
        took=moved,
    ),
    "leader paused": Kind(
        do=lambda lab, at: lab.nodes[at.leader].pause(),
        undo=lambda lab, at: lab.nodes[at.leader].resume(),
        took=moved,
    ),
    "leader isolated from peers, hold": cut("hold", peers),
    "leader isolated from peers, drop": cut("drop", peers),
    "leader isolated from peers, refuse": cut("refuse", peers),
    "leader isolated from everyone, hold": cut("hold", everyone),
    "leader isolated from everyone, drop": cut("drop", everyone),
    "leader isolated from everyone, refuse": cut("refuse", everyone),
    "follower cannot fetch, hold": cut("hold", fetching),
    "follower cannot fetch, drop": cut("drop", fetching),
    "follower cannot fetch, refuse": cut("refuse", fetching),
    "controller killed": Kind(
        do=lambda lab, at: lab.nodes[at.leader].kill(),
        undo=lambda lab, at: lab.nodes[at.leader].start(),
        took=lambda _before, _now: True,
        aim=controlling,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One fault, measured."""

    profile: str
    kafka: str
    kind: str
    gap_s: float
    heal_s: float
    errors: int
    load_average: float


def main() -> None:
    """Measure and save, or show what was saved."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", choices=PROFILES, default="fast")
    parser.add_argument("--kafka", default=LabChoice().kafka_version, help="release of Kafka")
    parser.add_argument("--repeats", type=int, default=3, help="trials of each kind (default 3)")
    parser.add_argument("--only", default="", help="kinds whose name holds this word")
    parser.add_argument("--save", type=Path, help="append each trial to this file")
    parser.add_argument("--show", type=Path, help="print the table of a file, measure nothing")
    asked = parser.parse_args()
    if asked.show:
        _table([Trial(**json.loads(line)) for line in asked.show.read_text().splitlines()])
        return
    trials = []
    kinds = [name for name in KINDS if asked.only in name]
    choice = choose(profile=asked.profile, kafka_version=asked.kafka)
    lab = default_start(progress=print, choice=choice)()
    try:
        lab.cluster.create_topics(
            [TopicSpec(name=TOPIC, partitions=1, replication_factor=3, config={})]
        )
        for name in kinds * asked.repeats:
            trial = _measure(lab, name, choice=choice)
            trials.append(trial)
            print(_line(trial), flush=True)
            if asked.save:
                with asked.save.open("a") as file:
                    file.write(json.dumps({n: getattr(trial, n) for n in trial.__slots__}) + "\n")
    finally:
        lab.close()
    _table(trials)


def _measure(lab: Lab, name: str, *, choice: LabChoice) -> Trial:
    kind, profile = KINDS[name], choice.profile.name
    most_s = MOST_S[profile]
    with Load(lab) as load:
        calm_s = monotonic_s()
        wait_until(
            lambda: load.flows_since(calm_s + STEADY_S), deadline_s=most_s, describe="steady load"
        )
        before = kind.aim(lab, _state(lab))
        load_average = os.getloadavg()[0]
        began_s = monotonic_s()
        kind.do(lab, before)
        held_s = monotonic_s()
        wait_until(
            lambda: (
                monotonic_s() - held_s > LEAST_S[profile]
                and load.flows_since(held_s)
                and kind.took(before, _state(lab))
            ),
            deadline_s=most_s,
            describe=f"acknowledgements to flow again: {name}",
            last_seen=lambda: (_state(lab), load.lost[-1:]),
            poll_s=0.05,
        )
        healed_s = monotonic_s()
        kind.undo(lab, before)
        wait_until(
            lambda: _whole(lab), deadline_s=most_s, describe=f"full in-sync replicas: {name}"
        )
        heal_s = monotonic_s() - healed_s
        return Trial(
            profile=profile,
            kafka=choice.kafka_version,
            kind=name,
            gap_s=round(load.gap_s(began_s), 2),
            heal_s=round(heal_s, 2),
            errors=len(load.lost),
            load_average=round(load_average, 1),
        )


def _state(lab: Lab) -> PartitionState:
    return next(each for each in lab.cluster.partitions() if each.topic == TOPIC)


def _whole(lab: Lab) -> bool:
    return lab.cluster.registered() == frozenset(lab.nodes) and all(
        set(each.isr) == set(each.replicas) and each.leader > 0 for each in lab.cluster.partitions()
    )


def _line(trial: Trial) -> str:
    return (
        f"{trial.profile:10} {trial.kafka} {trial.kind:38} gap {trial.gap_s:6.2f} s  "
        f"heal {trial.heal_s:6.2f} s  errors {trial.errors}  load {trial.load_average}"
    )


def _table(trials: list[Trial]) -> None:
    """Print one row for each kind, both profiles side by side: median and maximum in seconds."""
    by: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in trials:
        by[trial.kind, trial.profile].append(trial)
    names = [name for name in PROFILES if any(trial.profile == name for trial in trials)]
    cells = "".join(f" | {f'{name}: n':>14} {'gap med':>8} {'max':>6} {'heal med':>9} {'max':>6}"
                    for name in names)  # fmt: skip
    print(f"\n{'fault':38}{cells}")
    for kind in dict.fromkeys(trial.kind for trial in trials):
        row = "".join(f" | {_cell(by[kind, name])}" for name in names)
        print(f"{kind:38}{row}")


def _cell(trials: list[Trial]) -> str:
    if not trials:
        return f"{0:14} {'-':>8} {'-':>6} {'-':>9} {'-':>6}"
    gaps, heals = ([cast("float", getattr(t, n)) for t in trials] for n in ("gap_s", "heal_s"))
    return (
        f"{len(trials):14} {statistics.median(gaps):8.2f} {max(gaps):6.2f} "
        f"{statistics.median(heals):9.2f} {max(heals):6.2f}"
    )


if __name__ == "__main__":
    main()
