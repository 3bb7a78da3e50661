"""Does the harness ever accuse a safe pipeline? Plays it under every fault, again and again.

Prints one line per fault: runs, verdicts, and how long a judged run takes, everything included.

    .venv/bin/python benchmarks/safe_runs.py --runs 100
"""

import argparse
import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path

from harness.run.result import RunResult
from harness.run.session import LabSession, default_start
from harness.scenario import (
    cannot_fetch,
    consumer,
    database,
    follower,
    isolate,
    kill,
    leader,
    node,
    pause,
    pipeline,
    producer,
    relay,
    restart,
)
from harness.schedule import budget
from harness.schedule.values import Fault

LEADER = leader("orders", 0)
FAULTS: dict[str, tuple[Fault, ...]] = {
    "none": (),
    "leader killed": (kill(LEADER).after(acked=300).for_seconds(3),),
    "leader paused": (pause(LEADER).after(acked=300).for_seconds(4),),
    "leader isolated, hold": (isolate(LEADER, flavour="hold").after(acked=300).for_seconds(3),),
    "leader isolated, drop": (isolate(LEADER, flavour="drop").after(acked=300).for_seconds(3),),
    "leader isolated, refuse": (isolate(LEADER, flavour="refuse").after(acked=300).for_seconds(3),),
    "leader cut from clients": (
        isolate(LEADER, flavour="drop", cut_from="clients").after(acked=300).for_seconds(3),
    ),
    "leader cut from everyone": (
        isolate(LEADER, flavour="hold", cut_from="everyone").after(acked=300).for_seconds(3),
    ),
    "follower cannot fetch": (
        cannot_fetch(follower("orders", 0), source=LEADER).after(acked=300).for_seconds(4),
    ),
    "producer in transaction": (kill(producer(0)).at("in_transaction", passes=50).for_seconds(1),),
    "producer after commit": (kill(producer(0)).at("after_commit", passes=50).for_seconds(1),),
    "relay after select": (kill(relay(0)).at("after_select", passes=20).for_seconds(1),),
    "relay after send": (kill(relay(0)).at("after_send", passes=20).for_seconds(1),),
    "relay before mark": (kill(relay(0)).at("before_mark", passes=20).for_seconds(1),),
    "relay paused": (pause(relay(0)).after(acked=300).for_seconds(3),),
    "consumer mid-batch": (kill(consumer(0)).at("in_transaction", passes=20).for_seconds(1),),
    "consumer before commit": (
        kill(consumer(0)).at("before_offset_commit", passes=20).for_seconds(1),
    ),
    "consumer paused": (pause(consumer(0)).after(processed=300).for_seconds(5),),
    "consumer killed by count": (kill(consumer(1)).after(processed=400).for_seconds(1),),
    "database restarted": (restart(database()).after(acked=300),),
    "leader and relay": (
        kill(LEADER).after(acked=300).for_seconds(3),
        kill(relay(0)).after(acked=320).for_seconds(1),
    ),
    "leader and consumer": (
        kill(LEADER).after(acked=300).for_seconds(3),
        kill(consumer(1)).after(acked=320).for_seconds(1),
    ),
    "node and one-way link": (
        kill(node(3)).after(acked=300).for_seconds(3),
        cannot_fetch(node(1), source=node(2), flavour="drop").after(acked=350).for_seconds(2),
    ),
    "database and leader": (
        restart(database()).after(acked=300),
        isolate(LEADER, flavour="hold").after(acked=310).for_seconds(3),
    ),
}


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=len(FAULTS), help="how many in all")
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="where run folders go")
    asked = parser.parse_args()
    results: dict[str, list[RunResult]] = defaultdict(list)
    with LabSession(start=default_start(progress=print), runs=asked.folder) as session:
        for number in range(asked.runs):
            name = list(FAULTS)[number % len(FAULTS)]
            faults = FAULTS[name]
            result = session.run(
                pipeline("outbox"), *faults, budget=budget.needed(faults), name=name
            )
            results[name].append(result)
            _tell(number, name, result)
    _table(results)
    every = [result for each in results.values() for result in each]
    sys.exit(any(result.verdict.exit_code for result in every))


def _tell(number: int, name: str, result: RunResult) -> None:
    verdict = result.verdict
    why = "" if verdict.exit_code == 0 else f"  {verdict.reasons}  {result.folder}"
    print(f"{number + 1:4} {name:26} {verdict.outcome:14} {result.took_s:5.1f} s{why}", flush=True)


def _table(results: dict[str, list[RunResult]]) -> None:
    print(
        f"\n{'fault':26} {'runs':>4} {'PASSED':>6}  {'others':24} {'min':>5} {'med':>5} {'max':>5}"
    )
    for name, played in results.items():
        _line(name, played)
    _line("all", [result for each in results.values() for result in each])


def _line(name: str, played: list[RunResult]) -> None:
    verdicts = Counter(str(result.verdict.outcome) for result in played)
    passed = verdicts.pop("PASSED", 0)
    others = ", ".join(f"{count} {outcome}" for outcome, count in verdicts.items()) or "-"
    took = [result.took_s for result in played]
    print(
        f"{name:26} {len(played):4} {passed:6}  {others:24} "
        f"{min(took):5.1f} {statistics.median(took):5.1f} {max(took):5.1f}"
    )


if __name__ == "__main__":
    main()
