"""Measures how many generated schedules catch an unsafe twin, and how small they get.

Plays several campaigns for each variant, each with a root seed of its own, until the variant is
caught; then brings the failing schedule with the most faults down to its fewest and mildest ones.
Nothing is hand-written: the schedules are those that a campaign over the safe pipeline would play.

    .venv/bin/python benchmarks/until_caught.py --variant acks-1 --variant auto-commit --labs 2
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from harness.campaign.campaign import Until, play_campaign
from harness.campaign.folder import CampaignFolder, asked_of
from harness.campaign.minimising import failure_of, minimise_failure, regression_of, story
from harness.campaign.pool import LabPool
from harness.campaign.regression import write_regression
from harness.campaign.result import Result
from harness.lab.choice import LabChoice, choose
from harness.run.plan import spec_of

TWINS = ("acks-1", "auto-commit", "mark-before-ack", "no-dedup", "high-water-mark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Caught:
    """One campaign: how many runs it took, and the run that showed it; None: it gave up."""

    runs: int
    run: Result | None


def main() -> None:
    """Print a line for each variant."""
    asked = _arguments()
    choice = choose()
    with LabPool(asked.labs, choice=choice, runs=asked.campaigns / "runs", progress=print) as pool:
        rows = []
        for name in asked.variant or TWINS:
            rows.append(_variant(name, asked, choice, pool))
            print(rows[-1], flush=True)  # the table at the end may be hours away
    print("\n| variant | runs until caught | median | faults | after runs | fails |")
    print("|---|---|---|---|---|---|")
    print("\n".join(rows))


def _variant(name: str, asked: argparse.Namespace, choice: LabChoice, pool: LabPool) -> str:
    caught = list(_campaigns(name, asked, choice, pool))
    counts = [each.runs if each.run else asked.most for each in caught]
    said = ", ".join(f"{each.runs}" if each.run else f"> {asked.most}" for each in caught)
    row = f"| {name} | {said} | {median(counts):g} |"
    shown = [each.run for each in caught if each.run]
    return row + (_smallest(name, shown, asked, choice, pool) if shown and asked.runs else " | | |")


def _campaigns(
    name: str, asked: argparse.Namespace, choice: LabChoice, pool: LabPool
) -> Iterator[Caught]:
    spec = spec_of("outbox", name)
    for number in range(asked.times):
        folder = CampaignFolder.make(
            asked.campaigns,
            asked_of(spec, budget="safe", seed=asked.seed + number, shard=(1, 1), choice=choice),
        )
        played: list[Result] = []
        play_campaign(folder, pool, until=Until(runs=asked.most, caught=True), tell=played.append)
        first = next((n for n, result in enumerate(played, start=1) if result.caught()), None)
        print(f"{name}, seed {asked.seed + number}: {_told(played, first)}", flush=True)
        yield Caught(runs=first or len(played), run=played[first - 1] if first else None)


def _told(played: Sequence[Result], first: int | None) -> str:
    if first is None:
        return f"not caught in {len(played)} runs"
    run = played[first - 1]
    faults = "; ".join(str(fault) for fault in run.schedule.faults)
    return f"caught by run {first} ({run.phase}: {faults})"


def _smallest(
    name: str, shown: Sequence[Result], asked: argparse.Namespace, choice: LabChoice, pool: LabPool
) -> str:
    # The largest of the failing schedules leaves the minimiser most to do.
    run = max(shown, key=lambda result: len(result.schedule.faults))
    found, seen = minimise_failure(
        failure_of(Path(run.folder)),
        pool,
        labs=asked.labs,
        runs_budget=asked.runs,
        tell=lambda *_: None,
    )
    print(f"{name}: {story(found)}", flush=True)
    pinned = regression_of(
        found, seen, found_in=f"benchmarks/until_caught.py --seed {asked.seed}", choice=choice
    )
    if pinned and asked.pin:
        write_regression(pinned, asked.pin / f"{name}.json")
    before, after = len(run.schedule.faults), len(found.schedule.faults)
    return f" {before} → {after} | {found.runs} | {found.rate} |"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--variant", action="append", help="default: five twins, one per hop")
    parser.add_argument("--times", type=int, default=5, help="campaigns for each (default: 5)")
    parser.add_argument("--most", type=int, default=120, help="runs of a campaign at the most")
    parser.add_argument(
        "--runs", type=int, default=60, help="the minimiser's budget of runs; 0: none"
    )
    parser.add_argument("--labs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="the first campaign's root seed")
    parser.add_argument("--campaigns", type=Path, default=Path("campaigns"))
    parser.add_argument("--pin", type=Path, help="write what was found there, as regressions")
    return parser.parse_args()


if __name__ == "__main__":
    main()
