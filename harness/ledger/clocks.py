"""Journals of processes whose clock a fault set wrong, told in the run's own time. PURE.

The timeline says which lives those were: started by the harness while such a fault was in force.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.ledger.journal import Journal, JournalEvent
from harness.ledger.timeline import Timeline, TimelineEvent


def set_right(journals: Iterable[Journal], timeline: Timeline) -> tuple[Journal, ...]:
    """Return the journals with the stamps of wrong lives moved by what was wrong with them."""
    wrong = dict(_wrong_lives(timeline))
    if not wrong:
        return tuple(journals)
    return tuple(replace(one, events=tuple(_moved(one, wrong))) for one in journals)


def _moved(journal: Journal, wrong: dict[tuple[str, int], int]) -> Iterator[JournalEvent]:
    by_us = 0
    for event in journal.events:
        pid = event.fields.get("pid")
        if event.event == "start":
            by_us = wrong.get((journal.name, pid), 0) if isinstance(pid, int) else 0
        yield replace(event, at_us=event.at_us - by_us) if by_us else event


def _wrong_lives(timeline: Timeline) -> Iterator[tuple[tuple[str, int], int]]:
    """Yield (journal, process id) of each life that began under a wrong clock, and the error."""
    by_us: dict[str, int] = {}
    targets: dict[object, str] = {}
    for event in timeline.events:
        resolved = event.get("resolved")
        if event.get("event") == "fault" and isinstance(resolved, dict) and "by_s" in resolved:
            targets[event.get("fault")] = f"{resolved.get('role')}-{resolved.get('instance')}"
            by_us[targets[event.get("fault")]] = round(resolved["by_s"]) * 1_000_000
        elif _is_over(event):
            by_us.pop(targets.get(event.get("fault"), ""), None)
        name = f"{event.get('role')}-{event.get('instance')}"
        if event.get("state") == "started" and name in by_us:
            yield (name, int(str(event.get("pid")))), by_us[name]


def _is_over(event: TimelineEvent) -> bool:
    return event.get("event") == "fault" and event.get("state") in ("healed", "failed")
