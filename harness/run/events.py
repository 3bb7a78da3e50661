"""What happens in a run, told once and heard by many: the timeline, progress lines, scenarios."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.clock import now_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the timeline (ARCHITECTURE.md, "Timeline events")."""

    at_us: int
    event: str
    fields: Mapping[str, object]


Observer = Callable[[Event], None]


class Events:
    """Hands every event to every observer, in one order, from whichever thread it comes."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers
        self._lock = threading.Lock()

    def emit(self, event: str, **fields: object) -> None:
        """Stamp an event and hand it on."""
        with self._lock:
            stamped = Event(at_us=now_us(), event=event, fields=fields)
            for observer in self._observers:
                observer(stamped)


class TimelineFile:
    """Writes events to `timeline.jsonl`, one line each, flushed at once."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def __call__(self, event: Event) -> None:
        """Write one event."""
        line = {"at_us": event.at_us, "event": event.event, **event.fields}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
