"""Measures a local lab: boot cold and warm, memory, and how fast links are cut and healed.

    python benchmarks/lab_boot.py [--labs 5] [--cuts 20]

"Cold" is a boot after the database template and the page cache of the jars were put aside as far as
an ordinary user can: the template is made anew. "Warm" is every later boot.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial

from harness.clock import monotonic_s
from harness.lab.local import LocalLab, start_local_lab
from harness.lab.values import TopicSpec
from harness.provision import cache
from harness.provision.parts import Parts, provide
from harness.schedule.network import Damage

DAMAGES = (
    *(Damage(flavour=flavour) for flavour in ("refuse", "drop", "hold", "reset")),
    Damage(flavour="latency", amount=100),
    Damage(flavour="bandwidth", amount=10),
    Damage(flavour="slice", amount=10),
    Damage(flavour="limit", amount=1000),
)
LINKS_AT_ONCE = 10


WARM = """
import time
begin = time.process_time()
from harness.provision import parts
parts.provide()
print(time.process_time() - begin)
"""


def _provided_cpu_ms() -> float:
    """Return how long importing and providing takes where everything is there."""
    argv = [sys.executable, "-c", WARM]
    times = [subprocess.run(argv, capture_output=True, check=True).stdout for _ in range(5)]
    return 1000 * min(map(float, times))


def main() -> None:
    """Print one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--labs", type=int, default=5, help="warm boots (default 5)")
    parser.add_argument("--cuts", type=int, default=20, help="cuts in each flavour (default 20)")
    options = parser.parse_args()
    parts = provide(progress=print)
    print(
        f"a warm start finds its parts in {_provided_cpu_ms():.0f} ms of processor time (best of 5)"
    )
    print(f"load average at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for template in cache.root().glob("postgres-data-*"):
        shutil.rmtree(template)
    with start_local_lab(parts) as lab:
        print(f"cold boot: {lab.boot_s:.2f} s")
    boots, closes = zip(*(_boot(parts) for _ in range(options.labs)), strict=True)
    _print_spread("warm boot", boots, unit="s", scale=1)
    _print_spread("close", closes, unit="ms", scale=1000)
    with start_local_lab(parts) as lab:
        _measure(lab, cuts=options.cuts)


def _boot(parts: Parts) -> tuple[float, float]:
    lab = start_local_lab(parts)
    began = monotonic_s()
    lab.close()
    return lab.boot_s, monotonic_s() - began


def _measure(lab: LocalLab, *, cuts: int) -> None:
    print(f"memory: {lab.memory_bytes() / 1e6:.0f} MB")
    some = lab.links.all()[:LINKS_AT_ONCE]
    for damage in DAMAGES:
        pairs = [
            (
                _timed(partial(lab.links.cut, some, damage=damage)),
                _timed(lambda: lab.links.heal(some)),
            )
            for _ in range(cuts)
        ]
        for what, times in zip(("cut", "heal"), zip(*pairs, strict=True), strict=True):
            _print_spread(f"{what} {LINKS_AT_ONCE} links, {damage}", times, unit="ms", scale=1000)
    looks = [_timed(lambda: lab.links.traffic(lab.links.all())) for _ in range(cuts)]
    _print_spread("observe the traffic of all links", looks, unit="ms", scale=1000)
    creations = [_timed(partial(lab.database.create, f"b{n}")) for n in range(cuts)]
    _print_spread("create a database", creations, unit="ms", scale=1000)
    topics = [_timed(partial(lab.cluster.create_topics, [_topic(n)])) for n in range(cuts)]
    _print_spread("create a topic to full ISR", topics, unit="ms", scale=1000)
    audits = [_timed(lab.cluster.partitions) for _ in range(cuts)]
    _print_spread("ask for all partitions", audits, unit="ms", scale=1000)


def _topic(number: int) -> TopicSpec:
    return TopicSpec(name=f"b{number}", partitions=6, replication_factor=3, config={})


def _timed(action: Callable[[], object]) -> float:
    began = monotonic_s()
    action()
    return monotonic_s() - began


def _print_spread(
    what: str, values: tuple[float, ...] | list[float], *, unit: str, scale: float
) -> None:
    ordered = sorted(value * scale for value in values)
    nearest = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    print(
        f"{what}: min {ordered[0]:.2f}, median {statistics.median(ordered):.2f}, "
        f"95 % {nearest:.2f}, max {ordered[-1]:.2f} {unit} (n={len(ordered)})"
    )


if __name__ == "__main__":
    main()
