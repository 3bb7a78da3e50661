"""What a night came to, as one frozen value: `night.json`. Nights of several shards add up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import TypeAdapter

from harness import strict
from harness.campaign.folder import Asked
from harness.campaign.regression import State
from harness.campaign.summary import MOST_VACUOUS
from harness.errors import UsageError
from harness.ledger.findings import EXIT_CODES, Outcome
from harness.run.folder import disk_error
from harness.run.plan import read_text
from harness.schedule.targets import STRICT
from harness.schedule.values import Budget

FILE = "night.json"
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigned:
    """What the campaigns of one budget have shown."""

    __pydantic_config__ = STRICT
    budget: Budget
    outcomes: Mapping[str, int] = field(default_factory=dict)
    """Runs by outcome."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """Runs by part of the campaign: single, pairs, random."""
    asked_parts: Mapping[str, int] = field(default_factory=dict)
    """How many schedules the parts that end have, over all shards."""
    messages: int = 0
    faults: int = 0
    bit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A regression that was played."""

    __pydantic_config__ = STRICT
    name: str
    state: State
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counterexample:
    """What a failure was brought down to."""

    __pydantic_config__ = STRICT
    file: str
    """The pinned schedule, relative to the folder of its night."""
    faults: tuple[str, ...]
    failed: int
    of: int
    repeats: int
    """Runs that show it with 95 % certainty."""
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """All failing runs of one signature, or a single run that came to no conclusion."""

    __pydantic_config__ = STRICT
    outcome: Outcome
    signature: tuple[str, ...]
    runs: int
    reasons: tuple[str, ...]
    faults: tuple[str, ...]
    """Of its simplest run."""
    run: str
    """The folder of that run, relative to the folder of its night."""
    night: str
    """Which night that is: the folder of a shard; `.` is this one."""
    known: str | None = None
    """The pinned regression that shows the same finding."""
    smallest: Counterexample | None = None
    why_not: str = ""
    """Why there is no smaller one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One night, or several that were added up."""

    __pydantic_config__ = STRICT
    outcome: Outcome = Outcome.UNKNOWN
    exit_code: int = 3
    finished: bool = False
    """False: it was broken off, or has not come to its end yet."""
    began: str
    """UTC, ISO 8601."""
    took_s: float = 0.0
    time_s: float
    """What was asked for."""
    labs: int
    asked: Asked
    """Pipeline, variant, root seed, shard, lab; its budget says nothing here."""
    shards: tuple[int, ...]
    """Those that are in here."""
    campaigns: tuple[Campaigned, ...] = ()
    regressions: tuple[Pinned, ...] = ()
    failures: tuple[Failed, ...] = ()
    others: tuple[Failed, ...] = ()
    """Runs that neither PASSED nor FAILED, the worst first."""
    troubles: tuple[str, ...] = ()
    """What went wrong with the night itself."""
    not_tested: tuple[str, ...] = ()
    report: str | None = None
    failing_runs: str | None = None
    """An archive of the folders of failing runs."""
    kind: Literal["night"] = "night"
    format: Literal[1] = 1

    def outcomes(self) -> Counter[str]:
        """Return the runs of all campaigns by outcome."""
        total: Counter[str] = Counter()
        for each in self.campaigns:
            total.update(each.outcomes)
        return total


_NIGHT = TypeAdapter(Night)


def judged(night: Night) -> Night:
    """Return it with its outcome, which follows from all the rest; only PASSED is green."""
    outcome = _outcome(night)
    return replace(night, outcome=outcome, exit_code=EXIT_CODES[outcome])


def _outcome(night: Night) -> Outcome:
    seen, states = night.outcomes(), {each.state for each in night.regressions}
    if seen[Outcome.FAILED] or "back" in states:
        return Outcome.FAILED
    if seen[Outcome.HARNESS_ERROR] or night.troubles:
        return Outcome.HARNESS_ERROR
    if seen[Outcome.UNKNOWN] or states & {"missed", "inconclusive"} or not night.finished:
        return Outcome.UNKNOWN
    if seen[Outcome.HANG]:
        return Outcome.HANG
    proven = seen[Outcome.PASSED] and seen[Outcome.VACUOUS] <= MOST_VACUOUS * seen.total()
    return Outcome.PASSED if proven else Outcome.VACUOUS


def merged(nights: Mapping[str, Night]) -> Night:
    """Return the nights of several shards, by the name of their folder, as one; judged.

    UsageError if they are not shards of the same night. A shard that is missing is a trouble.
    """
    if not nights:
        raise UsageError("There is no night to add up", remedy=f"name folders that hold a {FILE}")
    first = next(iter(nights.values()))
    for name, night in nights.items():
        if _without_shard(night.asked) != _without_shard(first.asked):
            raise UsageError(
                f"{name} is not a shard of the same night: {_without_shard(night.asked)} "
                f"is not {_without_shard(first.asked)}",
                remedy="give every shard the same --seed, --pipeline, --profile and --kafka",
            )
    shards = sorted(shard for night in nights.values() for shard in night.shards)
    if len(set(shards)) < len(shards):
        raise UsageError(f"A shard is there twice: {shards}", remedy="name each folder once")
    away = sorted(set(range(1, first.asked.of + 1)) - set(shards))
    lost = tuple(f"shard {shard}/{first.asked.of} left no {FILE}" for shard in away)
    return judged(
        replace(
            first,
            finished=all(night.finished for night in nights.values()),
            began=min(night.began for night in nights.values()),
            took_s=max(night.took_s for night in nights.values()),
            shards=tuple(shards),
            campaigns=_added(each for night in nights.values() for each in night.campaigns),
            regressions=_all(night.regressions for night in nights.values()),
            failures=_all(_placed(night.failures, name) for name, night in nights.items()),
            others=_all(_placed(night.others, name) for name, night in nights.items()),
            troubles=_all([lost, *(night.troubles for night in nights.values())]),
            not_tested=_all(night.not_tested for night in nights.values()),
            report=None,
            failing_runs=None,
        )
    )


def _without_shard(asked: Asked) -> Asked:
    return replace(asked, shard=1, budget="safe")


def _added(campaigns: Iterable[Campaigned]) -> tuple[Campaigned, ...]:
    total: dict[str, Campaigned] = {}
    for one in campaigns:
        before = total.get(one.budget, Campaigned(budget=one.budget))
        total[one.budget] = Campaigned(
            budget=one.budget,
            outcomes=dict(Counter(before.outcomes) + Counter(one.outcomes)),
            parts=dict(Counter(before.parts) + Counter(one.parts)),
            asked_parts=one.asked_parts,
            messages=before.messages + one.messages,
            faults=before.faults + one.faults,
            bit=before.bit + one.bit,
        )
    return tuple(total.values())


def _placed(failures: Sequence[Failed], name: str) -> tuple[Failed, ...]:
    return tuple(replace(each, night=name) for each in failures)


def _all(parts: Iterable[Sequence[T]]) -> tuple[T, ...]:
    return tuple(each for part in parts for each in part)


def write_night(night: Night, folder: Path) -> None:
    """Write `night.json`; what stands there is whole at any moment."""
    file = folder / FILE
    try:
        beside = file.with_suffix(".part")
        beside.write_bytes(_NIGHT.dump_json(night, indent=2) + b"\n")
        beside.replace(file)
    except OSError as error:
        raise disk_error(file, error) from error


def read_night(folder: Path) -> Night:
    """Read the night in a folder; UsageError that names the file and what is wrong with it."""
    file = folder / FILE
    return strict.decode(_NIGHT, None, source=str(file), json=read_text(file, what="night"))
