"""The link matrix: each directed link, how it was cut, and what met the cuts. PURE."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.report.facts import LinkName, Meeting, RunFacts
from harness.report.tables import Cut, LinkCell
from harness.schedule.network import Frames


@dataclass(slots=True)
class _Link:
    times: Counter[str] = field(default_factory=Counter)
    bit: Counter[str] = field(default_factory=Counter)
    connections: float = 0.0
    bytes_sent: float = 0.0
    bytes_answered: float = 0.0

    def add(self, meeting: Meeting, *, flavour: str, bit: bool) -> None:
        self.times[flavour] += 1
        self.bit[flavour] += bit
        self.connections += meeting.connections
        self.bytes_sent += meeting.bytes_sent
        self.bytes_answered += meeting.bytes_answered


def links(runs: Sequence[RunFacts]) -> tuple[LinkCell, ...]:
    """Return every link that the runs had, by plane, source and target."""
    met: defaultdict[LinkName, _Link] = defaultdict(_Link)
    for setting in {id(run.setting): run.setting for run in runs}.values():
        for name in setting.links:
            met[name]  # a link that nobody cut has its cell too
    for run in runs:
        for meeting in run.timeline.meetings:
            bit = meeting.seen and meeting.fault < len(run.faults) and run.faults[meeting.fault].bit
            met[meeting.link].add(meeting, flavour=_flavour(run, meeting.fault), bit=bit)
    return tuple(_cell(name, met[name]) for name in sorted(met))


def _flavour(run: RunFacts, place: int) -> str:
    fault = None if run.schedule is None else run.schedule.faults[place]
    if isinstance(fault, Frames):
        return f"frames: {fault.act}"
    damage = getattr(fault, "damage", None)
    return str(getattr(damage, "flavour", "cut"))


def _cell(name: LinkName, link: _Link) -> LinkCell:
    plane, source, target = name
    return LinkCell(
        plane=plane,
        source=source,
        target=target,
        cuts=tuple(
            Cut(flavour=flavour, times=times, bit=link.bit[flavour])
            for flavour, times in sorted(link.times.items())
        ),
        connections=round(link.connections, 1),
        bytes_sent=round(link.bytes_sent),
        bytes_answered=round(link.bytes_answered),
    )
