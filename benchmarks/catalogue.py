"""Play the schedule of every variant so many times, and keep how often each was caught.

    python benchmarks/catalogue.py --repeats 10 --labs 2
    python benchmarks/catalogue.py --repeats 3 --only acks-1 --only no-dedup

What is already in `harness/pipeline/variants/measured.json` counts, so it goes on where it was
broken off; a variant that was changed since is measured anew. Run `make catalogue` afterwards.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from harness.campaign.pool import LabPool
from harness.campaign.result import Job, Result
from harness.errors import HarnessError, UsageError
from harness.lab.choice import choose
from harness.pipeline.catalogue import (
    Entry,
    Measured,
    catalogue,
    claim_of,
    read_measured,
    write_measured,
)
from harness.pipeline.variant import Variant, load_variant
from harness.provision.kafka import KAFKA_VERSION
from harness.run.plan import plan


def main() -> None:
    """Play what is missing, one line a run, then the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=10, help="runs of each variant in all")
    parser.add_argument("--only", action="append", default=[], help="a variant; may be repeated")
    parser.add_argument("--labs", type=int, default=1, help="labs side by side")
    parser.add_argument("--anew", action="store_true", help="forget what is measured of them")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where run folders go")
    asked = parser.parse_args()
    names = asked.only or [each.variant.name for each in catalogue() if not each.variant.tried]
    variants = [load_variant(name) for name in names]
    if asked.anew:
        kept = {k: v for k, v in read_measured().items() if k not in names}
        write_measured(kept)
    jobs = list(_jobs(variants, repeats=asked.repeats))
    while jobs:
        jobs = _play(jobs, labs=min(asked.labs, len(jobs)), runs=asked.runs)
    chosen = [each for each in catalogue() if each.variant.name in names]
    print(_table(chosen))
    sys.exit(any(each.state in ("not provoked", "accused") for each in chosen))


def _jobs(variants: list[Variant], *, repeats: int) -> Iterator[Job]:
    """Yield the missing runs, those on one kind of lab after each other."""
    have = {entry.variant.name: entry.rate.runs for entry in catalogue()}
    index = count()
    for variant in sorted(variants, key=lambda each: (str(each.needs), each.name)):
        missing = repeats - have[variant.name]
        if missing > 0:
            _, schedule = plan(None, variant_name=variant.name, schedule_file=None)
            for _ in range(missing):
                yield Job(index=next(index), schedule=schedule, phase="catalog")


def _play(jobs: list[Job], *, labs: int, runs: Path) -> list[Job]:
    """Play until all are done, or one cannot be played at all; return what is left then."""
    given: list[Job] = []
    answered: set[int] = set()

    def giving() -> Iterator[Job]:
        for job in jobs:
            given.append(job)
            yield job

    try:
        with LabPool(labs, choice=choose(), runs=runs, progress=_note) as pool:
            for result in pool.play(giving()):
                answered.add(result.index)
                _keep(result)
    except HarnessError as error:
        lost = {job.schedule.variant for job in given if job.index not in answered}
        print(f"given up: {', '.join(sorted(map(str, lost)))}: {error}", flush=True)
        return [job for job in jobs[len(given) :] if job.schedule.variant not in lost]
    return []


def _keep(result: Result) -> None:
    variant = load_variant(result.schedule.variant or "")
    measured = read_measured()
    measured[variant.name] = _with(measured.get(variant.name), result, variant)
    write_measured(measured)
    entry = next(each for each in catalogue() if each.variant.name == variant.name)
    why = "" if result.outcome == "PASSED" else f"  {'; '.join(result.reasons)}"
    print(
        f"{variant.name:32} {result.outcome:13} {result.took_s:5.1f} s  "
        f"{'caught' if result.caught() else '-':6} {entry.rate.hits}/{entry.rate.runs}"
        f"{why}\n{'':32} {result.folder}",
        flush=True,
    )


def _with(before: Measured | None, result: Result, variant: Variant) -> Measured:
    """Return the measurement with one more run; one of another claim or Kafka begins anew."""
    claim, kafka = claim_of(variant), variant.needs.kafka or KAFKA_VERSION
    if before is None or (before.claim, before.kafka) != (claim, kafka):
        before = Measured(claim=claim, kafka=kafka, runs=0, caught=0, others={}, on="")
    others = dict(before.others)
    if not result.caught():
        others[str(result.outcome)] = others.get(str(result.outcome), 0) + 1
    return Measured(
        claim=claim,
        kafka=kafka,
        runs=before.runs + 1,
        caught=before.caught + result.caught(),
        others=others,
        on=f"{datetime.now(UTC):%Y-%m-%d}",
    )


def _table(entries: list[Entry]) -> str:
    head = f"\n{'variant':32} {'entry':5} {'caught':>7}  {'state':14} others"
    lines = [
        f"{each.variant.name:32} {each.variant.entry:5} {each.rate.hits:3}/{each.rate.runs:<3}  "
        f"{each.state:14} {each.measured.others if each.measured and each.measured.others else ''}"
        for each in entries
    ]
    unsafe = [each for each in entries if not each.variant.safe]
    provoked = sum(each.state == "provoked" for each in unsafe)
    return "\n".join([head, *lines, f"\n{provoked} of {len(unsafe)} unsafe variants provoked"])


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except UsageError as error:
        sys.exit(str(error))
