"""The timeline of a run, and the facts in it that decide whether a judgement can be believed.

Owns reading `timeline.jsonl`; must not know about messages.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from harness.errors import UsageError
from harness.ledger.findings import FaultSeen

TimelineEvent = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """What happened, in file order, and how many faults the schedule asked for."""

    present: bool
    events: tuple[TimelineEvent, ...]
    scheduled: int
    broken: str = ""
    """Why the file cannot be read to its end; empty if it can."""

    def of(self, event: str) -> list[TimelineEvent]:
        """Return the events of one name."""
        return [e for e in self.events if e.get("event") == event]

    def reached(self, phase: str) -> bool:
        """Tell whether the run came as far as this phase."""
        return any(e.get("phase") == phase for e in self.of("phase"))

    def drained(self) -> bool | None:
        """Tell whether the pipeline drained; None where nothing says so."""
        answers = self.of("drained")
        return bool(answers[-1].get("complete")) if answers else None

    def faults(self) -> tuple[FaultSeen, ...]:
        """Return each scheduled fault as the timeline saw it; `state` is the last one it reached.

        One that never began has the state `never`.
        """
        indexes = {_index(e) for e in self.of("fault")} | set(range(self.scheduled))
        return tuple(self._fault(index) for index in sorted(indexes))

    def _fault(self, index: int) -> FaultSeen:
        mine = [e for e in self.of("fault") if _index(e) == index]
        words = [str(e["what"]) for e in mine if e.get("what")]
        evidence = [e["evidence"] for e in mine if isinstance(e.get("evidence"), list)]
        sentences = evidence[-1] if evidence else []
        return FaultSeen(
            index=index,
            what=words[0] if words else f"fault {index}",
            state=str(mine[-1].get("state")) if mine else "never",
            bit=any(e.get("bit") is True for e in mine),
            evidence=tuple(str(s) for s in sentences) if isinstance(sentences, list) else (),
        )

    def states_before_reading(self, index: int) -> set[str]:
        """Return the states that a fault had gone through when the witnesses were read."""
        before = takewhile(lambda e: e.get("phase") != "read", self.events)
        return {
            str(e.get("state")) for e in before if e.get("event") == "fault" and _index(e) == index
        }

    def trouble(self, *kinds: str) -> list[str]:
        """Return the messages of trouble of these kinds, and of nodes that died unasked (`lab`)."""
        messages = [str(e.get("message")) for e in self.of("trouble") if e.get("kind") in kinds]
        if "lab" in kinds:
            messages += [
                f"node {e.get('node')} exited unasked with code {e.get('code')}"
                for e in self.of("node")
                if e.get("state") == "exited" and e.get("asked") is False
            ]
        return messages


def _index(event: TimelineEvent) -> int:
    value = event.get("fault")
    return value if isinstance(value, int) else -1


def read_timeline(folder: Path) -> Timeline:
    """Read the timeline of a run folder; a folder without one gives an empty timeline."""
    path, schedule = folder / "timeline.jsonl", read_json(folder / "schedule.json")
    faults = schedule.get("faults")
    scheduled = len(faults) if isinstance(faults, list) else 0
    if not path.exists():
        return Timeline(present=False, events=(), scheduled=scheduled)
    events, broken = _parse(path.read_bytes().splitlines())
    return Timeline(present=True, events=tuple(events), scheduled=scheduled, broken=broken)


def _parse(lines: Iterable[bytes]) -> tuple[list[TimelineEvent], str]:
    """Return the events before the first line that is no JSON object, and where that stands."""
    events: list[TimelineEvent] = []
    for number, line in enumerate(lines, start=1):
        try:
            value = json.loads(line) if line.strip() else None
        except ValueError:
            return events, f"timeline.jsonl: line {number} is torn"
        if isinstance(value, dict):
            events.append(value)
        elif value is not None:
            return events, f"timeline.jsonl: line {number} is no event"
    return events, ""


def read_json(path: Path) -> dict[str, object]:
    """Return a JSON object of the run folder; an absent file is an empty one.

    UsageError if the file holds anything else: a promise that cannot be read must not be dropped.
    """
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_bytes())
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise UsageError(f"{path} is no JSON object", remedy="restore it from the run's own files")
    return value
