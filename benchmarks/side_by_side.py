"""Measures how many schedules an hour one, two, three and four labs judge on this machine.

Plays generated schedules of both budgets on a pipeline, each number of labs for the same time, and
prints runs an hour and the share of verdicts other than PASSED for each. The schedules of a budget
are one campaign, dealt out by shards, so each number of labs has the same mix of them. Labs boot,
and play a first run each, before the clock starts.

    .venv/bin/python benchmarks/side_by_side.py --time 60m --campaigns runs
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import get_args

from harness.campaign.campaign import Until, play_campaign
from harness.campaign.folder import CampaignFolder, asked_of
from harness.campaign.pool import LabPool
from harness.campaign.result import Result
from harness.clock import duration_s, monotonic_s
from harness.lab.choice import LabChoice, choose
from harness.ledger.findings import Outcome
from harness.run.plan import spec_of
from harness.schedule.values import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What so many labs judged in so many seconds, and what they judged while they warmed up."""

    labs: int
    budget: Budget
    results: tuple[Result, ...]
    took_s: float
    before: tuple[Result, ...]


def main() -> None:
    """Play and print; exit 1 if a safe pipeline was accused, or a run was not conclusive."""
    asked = _arguments()
    choice = choose(backend="local")
    pieces = [
        (budget, labs)
        for number, budget in enumerate(get_args(Budget))
        # There and back again: a machine that slows down meets few and many labs alike.
        for labs in (asked.labs if number % 2 == 0 else asked.labs[::-1])
    ]
    played = [
        _play(labs, budget, asked=asked, choice=choice, time_s=asked.time / len(pieces))
        for budget, labs in pieces
    ]
    _tell(played, asked.labs)
    every = [result for each in played for result in (*each.before, *each.results)]
    sys.exit(any(result.outcome is not Outcome.PASSED for result in every))


def _play(
    labs: int, budget: Budget, *, asked: argparse.Namespace, choice: LabChoice, time_s: float
) -> Played:
    shard = (asked.labs.index(labs) + 1, len(asked.labs))
    wanted = asked_of(
        spec_of("outbox", asked.variant), budget=budget, seed=asked.seed, shard=shard, choice=choice
    )
    folder = CampaignFolder.make(asked.campaigns, wanted)
    before: list[Result] = []
    results: list[Result] = []
    with LabPool(
        labs, choice=choice, runs=folder.runs, progress=partial(print, flush=True)
    ) as pool:
        play_campaign(folder, pool, until=Until(runs=labs), tell=before.append)
        began = monotonic_s()
        play_campaign(folder, pool, until=Until(time_s=time_s), tell=results.append)
        took_s = monotonic_s() - began
    played = Played(
        labs=labs, budget=budget, results=tuple(results), took_s=took_s, before=tuple(before)
    )
    print(_row(f"{budget}, {labs} labs", [played]), flush=True)
    for result in (*before, *results):
        if result.outcome is not Outcome.PASSED:
            print(f"  {result.outcome} {result.reasons} {result.folder}", flush=True)
    return played


def _tell(played: Sequence[Played], labs: Sequence[int]) -> None:
    print("\n| labs | runs | an hour | median | 95 % | other than PASSED |")
    print("|---|---|---|---|---|---|")
    for number in labs:
        print(_row(str(number), [each for each in played if each.labs == number]))
    for budget in get_args(Budget):
        print(_row(f"budget {budget}", [each for each in played if each.budget == budget]))


def _row(name: str, played: Sequence[Played]) -> str:
    """Return a row; an hour's runs are those after the first of each lab, verdicts are of all."""
    timed = [result for each in played for result in each.results]
    every = [*timed, *(result for each in played for result in each.before)]
    others = Counter(str(each.outcome) for each in every if each.outcome is not Outcome.PASSED)
    said = ", ".join(f"{count} {outcome}" for outcome, count in others.items()) or "none"
    took = sorted(result.took_s for result in timed)
    an_hour = 3600 * len(timed) / sum(each.took_s for each in played)
    share = sum(others.values()) / len(every)
    return (
        f"| {name} | {len(every)} | {an_hour:.0f} | {median(took):.1f} s "
        f"| {took[int(0.95 * (len(took) - 1))]:.1f} s | {share:.1%} ({said}) |"
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=duration_s, default=3600.0, help="in all: 60m, 1h")
    parser.add_argument("--labs", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--variant", default=None, help="another safe variant of the reference")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--campaigns", type=Path, default=Path("campaigns"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
