"""The curves of a run's time axis, from journals where there are any, else from progress. PURE.

Journals are exact: a message counts once, when it was first acknowledged or had its effect.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from harness.ledger.journal import Journal
from harness.ledger.timeline import TimelineEvent
from harness.report.axis import Series
from harness.report.timeline_facts import at_us, number

POINTS_AT_MOST = 400
FINEST_S = 0.1
_NEEDED = ("committed", "acked", "effect")

Source = Literal["journals", "progress"]
Times = NDArray[np.float64]


def curves(
    events: Sequence[TimelineEvent],
    journals: Iterable[Journal],
    *,
    began_us: int,
    length_s: float,
) -> tuple[tuple[Series, ...], Source]:
    """Return acknowledgements and effects a second, messages in flight, and consumer lag."""
    first = _first_times(journals, began_us=began_us)
    if all(len(first[name]) for name in _NEEDED):
        edges = np.linspace(0.0, length_s, _bins(length_s) + 1)
        counts = [np.searchsorted(first[name], edges).astype(np.float64) for name in _NEEDED]
        return _series(edges, *counts), "journals"
    progress = [event for event in events if event.get("event") == "progress"]
    edges = np.array([(at_us(event) - began_us) / 1e6 for event in progress])
    columns = ("committed", "acked", "processed")
    return _series(
        *(_thinned(edges), *(_thinned(_column(progress, name)) for name in columns))
    ), "progress"


def _first_times(journals: Iterable[Journal], *, began_us: int) -> dict[str, Times]:
    """Return, for each event that is needed, when each message first had it, in order."""
    first: dict[str, dict[object, int]] = {name: {} for name in _NEEDED}
    for journal in journals:
        for event in journal.events:
            if event.event in first:
                seen = first[event.event]
                for one in event.ids:
                    seen[one] = min(seen.get(one, event.at_us), event.at_us)
    return {
        name: np.sort((np.array(list(seen.values()), dtype=np.int64) - began_us) / 1e6)
        for name, seen in first.items()
    }


def _bins(length_s: float) -> int:
    return max(1, min(POINTS_AT_MOST - 1, int(length_s / FINEST_S)))


def _column(progress: Sequence[TimelineEvent], name: str) -> Times:
    return np.array([number(event, name) for event in progress], dtype=np.float64)


def _thinned(values: Times) -> Times:
    step = -(-len(values) // POINTS_AT_MOST) or 1
    return values[::step]


def _series(edges: Times, committed: Times, acked: Times, effects: Times) -> tuple[Series, ...]:
    """Return the curves of three counts over time."""
    if len(edges) < 2:  # noqa: PLR2004  # a rate needs two moments
        return ()
    seconds = np.maximum(np.diff(edges), 1e-6)
    return (
        _one("acknowledged", "messages/s", edges[1:], np.diff(acked) / seconds),
        _one("effects", "messages/s", edges[1:], np.diff(effects) / seconds),
        _one("in flight", "messages", edges, np.maximum(committed - acked, 0)),
        _one("consumer lag", "messages", edges, np.maximum(acked - effects, 0)),
    )


def _one(name: str, unit: str, times: Times, values: Times) -> Series:
    return Series(
        name=name,
        unit=unit,
        times_s=tuple(np.round(times, 3).tolist()),
        values=tuple(np.round(values, 1).tolist()),
    )
