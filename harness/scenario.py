"""The public names: everything that a scenario is written with, and nothing else."""

from harness.run.plan import pipeline, variant
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.network_words import (
    cannot_fetch,
    cannot_reach,
    damage,
    isolate,
    latency,
)
from harness.schedule.values import Schedule, Workload
from harness.schedule.words import (
    consumer,
    database,
    follower,
    instance,
    kill,
    leader,
    node,
    pause,
    producer,
    relay,
    restart,
)

__all__ = [
    "LabSession",
    "RunResult",
    "Schedule",
    "Workload",
    "cannot_fetch",
    "cannot_reach",
    "consumer",
    "damage",
    "database",
    "follower",
    "instance",
    "isolate",
    "kill",
    "latency",
    "leader",
    "node",
    "pause",
    "pipeline",
    "producer",
    "relay",
    "restart",
    "variant",
]
