"""What the producer was asked for: how fast, which keys, what payloads. From WORKLOAD_*."""

import os
import random
import time
from dataclasses import dataclass

_BURST_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The share of one instance."""

    rate_per_s: float
    """Messages a second of this instance; 0: as fast as it can."""
    batch: int
    keys: tuple[str, ...]
    """Disjoint from every other instance's, so that one process owns the order of a key."""
    payload_bytes: int
    seed: str

    @classmethod
    def from_environment(cls) -> "Workload":
        """Read the variables; each has a default, so that the role runs by hand as well."""
        given = os.environ.get
        instance = int(given("HARNESS_INSTANCE", "0"))
        instances = max(1, int(given("HARNESS_INSTANCES", "1")))
        keys = max(instances, int(given("WORKLOAD_KEYS", "32")))
        return cls(
            rate_per_s=float(given("WORKLOAD_RATE", "100")) / instances,
            batch=max(1, int(given("WORKLOAD_BATCH", "1"))),
            keys=tuple(f"key-{number:04d}" for number in range(instance, keys, instances)),
            payload_bytes=int(given("WORKLOAD_PAYLOAD_BYTES", "200")),
            seed=f"{given('WORKLOAD_SEED', '0')}/{instance}",
        )


class Pace:
    """When the next transaction is due. A delay is made up for, but never by more than a second."""

    def __init__(self, *, rate_per_s: float, batch: int) -> None:
        self._period_s = batch / rate_per_s if rate_per_s > 0 else 0.0
        self._due_s = time.monotonic()

    def next_s(self) -> float:
        """Return the moment (monotonic) at which the next transaction is due."""
        due_s = max(self._due_s, time.monotonic() - _BURST_S)
        self._due_s = due_s + self._period_s
        return due_s


class Payloads:
    """Payloads that name their message first and are filled up with seeded random bytes."""

    def __init__(self, workload: Workload) -> None:
        self._random = random.Random(workload.seed)  # noqa: S311 - filler, repeatable on purpose
        self._size = workload.payload_bytes

    def make(self, key: str, sequence: int) -> bytes:
        """Return the payload of one message; at least as long as the name in it."""
        head = b"%s %d " % (key.encode(), sequence)
        return head + self._random.randbytes(max(0, self._size - len(head)))
