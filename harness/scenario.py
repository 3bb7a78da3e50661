"""The public names: everything that a scenario is written with, and nothing else."""

from harness.run.plan import pipeline, variant
from harness.run.result import RunResult
from harness.run.session import LabSession
from harness.schedule.network_words import cannot_fetch, frames, isolate
from harness.schedule.values import Schedule, Workload
from harness.schedule.words import (
    consumer,
    database,
    every,
    follower,
    instance,
    kill,
    leader,
    node,
    pause,
    producer,
    relay,
    restart,
    restart_storm,
    scale,
    skew,
    stop,
    terminate,
)

__all__ = [
    "LabSession",
    "RunResult",
    "Schedule",
    "Workload",
    "cannot_fetch",
    "consumer",
    "database",
    "every",
    "follower",
    "frames",
    "instance",
    "isolate",
    "kill",
    "leader",
    "node",
    "pause",
    "pipeline",
    "producer",
    "relay",
    "restart",
    "restart_storm",
    "scale",
    "skew",
    "stop",
    "terminate",
    "variant",
]
