"""Plays a campaign: every single fault, every pair that goes together, then by seed until the end.

What was played before is skipped, so the same call goes on with a campaign that was broken off.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.campaign.folder import Asked, CampaignFolder, Keep
from harness.campaign.pool import LabPool
from harness.campaign.result import Job, Result
from harness.campaign.shapes import shape_of
from harness.clock import Deadline
from harness.errors import UsageError
from harness.lab.profile import profile_named
from harness.run.plan import spec_of
from harness.schedule.campaign import Campaign, numbers
from harness.schedule.shape import timeouts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """When a campaign ends: by its time, by its number of runs, or with the first catch."""

    time_s: float | None = None
    runs: int | None = None
    caught: bool = False


def sequence_of(asked: Asked) -> Campaign:
    """Return the schedules of a campaign, by number; UsageError for a pipeline that is wrong."""
    profile = profile_named(asked.profile)
    return Campaign(
        shape_of(spec_of(asked.pipeline, asked.variant)),
        root_seed=asked.seed,
        budget=asked.budget,
        timeouts=timeouts_of(profile.name, profile.broker),
    )


def play_campaign(
    folder: CampaignFolder,
    pool: LabPool,
    *,
    until: Until,
    keep: Keep = "failed",
    tell: Callable[[Result], None],
) -> None:
    """Play until the end that was asked for; each result is in the folder before it is told.

    UsageError if another process plays in this folder.
    """
    if until == Until():
        raise UsageError("A campaign needs an end", remedy="say --time 30m or --schedules 100")
    with folder.held():
        done = {result.index for result in folder.results()}
        ending = _Ending(until)
        for result in pool.play(_jobs(folder.asked, done, ending)):
            folder.add(result, keep=keep)
            tell(result)
            ending.caught = ending.caught or result.caught()


class _Ending:
    """Whether another run may begin."""

    def __init__(self, until: Until) -> None:
        self._until = until
        self._deadline = None if until.time_s is None else Deadline(until.time_s)
        self._begun = 0
        self.caught = False

    def one_more(self) -> bool:
        """Tell whether another run may begin, and count it."""
        if self._deadline is not None and self._deadline.passed():
            return False
        if self._until.runs is not None and self._begun >= self._until.runs:
            return False
        if self._until.caught and self.caught:
            return False
        self._begun += 1
        return True


def _jobs(asked: Asked, done: set[int], ending: _Ending) -> Iterator[Job]:
    sequence = sequence_of(asked)
    for number in numbers(shard=asked.shard, of=asked.of):
        if number in done:
            continue
        if not ending.one_more():
            return
        yield Job(index=number, schedule=sequence.schedule(number), phase=sequence.part(number))
