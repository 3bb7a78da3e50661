"""An offending message's life as lanes: who had it in hands, one after the other. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.report.axis import LifeMoment, MessageLife
from harness.report.page.lanes import Dot, Row
from harness.report.page.wording import cut, moment

LOG = "log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A message's lanes, the thread through them, and what is left of it."""

    message: str
    accusation: str
    rows: tuple[Row, ...]
    thread: str
    """SVG path: milliseconds across, lanes times two down."""
    moments: tuple[LifeMoment, ...]
    held: tuple[str, ...]


def by_message(lives: Sequence[MessageLife]) -> list[MessageLife]:
    """Return each message's life once, with all that it is accused of."""
    found: dict[str, MessageLife] = {}
    for life in lives:
        known = found.get(life.message)
        said = life.accusation if known is None else f"{known.accusation}; {life.accusation}"
        found[life.message] = replace(life, accusation=said)
    return list(found.values())


def life_lanes(life: MessageLife) -> Life:
    """Return the lanes of one message, in the order in which it came to them."""
    moments = sorted(life.moments, key=_moment)
    lanes = list(dict.fromkeys(each.who for each in moments))
    rows = tuple(
        Row(name=who, dots=tuple(_dot(each) for each in moments if each.who == who))
        for who in lanes
    )
    steps = [f"{each.at_s * 1000:.0f} {2 * lanes.index(each.who) + 1}" for each in moments]
    return Life(
        message=life.message,
        accusation=life.accusation,
        rows=rows,
        thread=f"M{'L'.join(steps)}" if steps else "",
        moments=tuple(moments),
        held=life.held,
    )


def _moment(each: LifeMoment) -> float:
    """Return when it was; Kafka cuts its stamps to whole milliseconds."""
    return each.at_s + (0.001 if each.who == LOG else 0.0)


def _dot(each: LifeMoment) -> Dot:
    force = ", ".join(f"fault {index}" for index in each.in_force)
    beside = f"\nin force: {force}" if force else ""
    return Dot(
        at_s=each.at_s,
        looks="lived",
        glyph="●",
        detail=f"{moment(each.at_s)} s: {each.who} {cut(each.words)}{beside}",
    )
