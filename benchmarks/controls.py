"""Is a safe control ever accused? Plays generated schedules over every one of them, both budgets.

The schedules are those of campaigns: single faults, then pairs of the covering set, then random
ones, a third each; every control has a root seed of its own, so together they see most of the
menu. A line for each run, then a table; ends with 1 if anything but PASSED or VACUOUS came.

    .venv/bin/python benchmarks/controls.py --each 12
"""

import argparse
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from harness.campaign.campaign import sequence_of
from harness.campaign.folder import asked_of
from harness.campaign.pool import LabPool
from harness.campaign.result import Job, Result
from harness.lab.choice import LabChoice, choose
from harness.ledger.findings import Outcome
from harness.pipeline.variant import Variant, list_variants
from harness.run.plan import spec_of
from harness.schedule.campaign import Campaign
from harness.schedule.values import Budget

BUDGETS: tuple[Budget, ...] = ("safe", "over")
PARTS = ("single", "pairs", "random")


def main() -> None:
    """Play and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--each", type=int, default=12, help="runs of each control in each budget")
    parser.add_argument("--only", action="append", default=[], help="a control; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="the first control's root seed")
    parser.add_argument("--labs", type=int, default=1, help="labs side by side")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    asked = parser.parse_args()
    controls = [each for each in list_variants() if each.safe]
    chosen = [each for each in controls if not asked.only or each.name in asked.only]
    choice = choose()
    jobs = list(_jobs(chosen, each=asked.each, seed=asked.seed, choice=choice))
    results: dict[str, list[Result]] = defaultdict(list)
    with LabPool(asked.labs, choice=choice, runs=asked.runs, progress=print) as pool:
        for number, result in enumerate(pool.play(jobs), start=1):
            results[str(result.schedule.variant)].append(result)
            _tell(f"{number}/{len(jobs)}", result)
    print(_table(results))
    bad = {Outcome.PASSED, Outcome.VACUOUS}
    sys.exit(any(each.outcome not in bad for every in results.values() for each in every))


def _jobs(controls: list[Variant], *, each: int, seed: int, choice: LabChoice) -> Iterator[Job]:
    index = count()
    for place, control in enumerate(controls):
        spec = spec_of("outbox", control.name)
        for budget in BUDGETS:
            asked = asked_of(spec, budget=budget, seed=seed + place, shard=(1, 1), choice=choice)
            sequence = sequence_of(asked)
            for number in _numbers(sequence, each=each, place=place):
                schedule = sequence.schedule(number)
                yield Job(index=next(index), schedule=schedule, phase=sequence.part(number))


def _numbers(sequence: Campaign, *, each: int, place: int) -> Iterator[int]:
    """Yield a third of each part; of the pairs, which are the same for all seeds, others each."""
    singles, pairs = len(sequence.singles), len(sequence.cover.schedules)
    share = [(each + extra) // len(PARTS) for extra in reversed(range(len(PARTS)))]
    yield from range(min(share[0], singles))
    yield from (singles + (place * share[1] + one) % pairs for one in range(share[1]))
    yield from (singles + pairs + one for one in range(share[2]))


def _tell(place: str, result: Result) -> None:
    schedule = result.schedule
    passed = result.outcome is Outcome.PASSED
    why = "" if passed else f"  {'; '.join(result.reasons)}\n{'':10}{result.folder}"
    print(
        f"{place:9} {schedule.variant or '':24} {schedule.budget:5} {result.phase:7} "
        f"{result.outcome:13} {result.took_s:5.1f} s{why}",
        flush=True,
    )


def _table(results: dict[str, list[Result]]) -> str:
    lines = ["\n| control | safe | over | PASSED | others | accused | messages | median s |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    lines += [_line(name, played) for name, played in results.items()]
    lines.append(_line("all", [each for every in results.values() for each in every]))
    return "\n".join(lines)


def _line(name: str, played: list[Result]) -> str:
    budgets = Counter(each.schedule.budget for each in played)
    outcomes = Counter(str(each.outcome) for each in played)
    passed = outcomes.pop("PASSED", 0)
    others = ", ".join(f"{number} {outcome}" for outcome, number in outcomes.items()) or "-"
    accused = outcomes["FAILED"]
    messages = sum(each.messages for each in played)
    took = statistics.median(each.took_s for each in played)
    return (
        f"| {name} | {budgets['safe']} | {budgets['over']} | {passed} | {others} | {accused} "
        f"| {messages:,} | {took:.1f} |"
    )


if __name__ == "__main__":
    main()
