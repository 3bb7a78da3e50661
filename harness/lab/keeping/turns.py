"""Lets the labs of one machine boot in turns.

A boot is all processor time: side by side on few cores, the nodes of several labs would miss the
deadlines of their elections again and again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import platformdirs

from harness.clock import Deadline, sleep
from harness.lab.choice import labs_that_fit
from harness.lab.keeping.claims import Claim, try_claim

PATIENCE_S = 120.0
"""Whoever has waited so long boots all the same: a turn is a courtesy, no condition."""
_POLL_S = 0.05


@contextmanager
def turn() -> Iterator[None]:
    """Wait until few enough labs of this user are booting, and count as one until the end."""
    claim = _await_turn()
    try:
        yield
    finally:
        if claim is not None:
            claim.release()


def _await_turn() -> Claim | None:
    folder = platformdirs.user_state_path("zero-loss-harness", appauthor=False) / "boots"
    folder.mkdir(parents=True, exist_ok=True)
    places = [folder / f"{n}.lock" for n in range(labs_that_fit())]
    deadline = Deadline(PATIENCE_S)
    while not deadline.passed():
        for place in places:
            claim = try_claim(place)
            if claim is not None:
                return claim
        sleep(_POLL_S)
    return None
