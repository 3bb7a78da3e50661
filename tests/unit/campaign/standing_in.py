"""Stand-ins for pools of labs, which start none."""

from collections.abc import Iterable, Iterator
from typing import Protocol, cast

from harness.campaign.pool import LabPool
from harness.campaign.result import Job, Result


class Plays(Protocol):
    """What is asked of a pool while it is there."""

    def play(self, jobs: Iterable[Job]) -> Iterator[Result]:
        """Yield a result for each job."""
        ...


def pool_of(fake: Plays) -> LabPool:
    """Return a fake that plays as if it were a pool."""
    return cast("LabPool", fake)
