"""Lanes of the pipeline's processes: lives and ends, crash points, rebalances, trouble. PURE."""

from collections.abc import Iterator

from harness.report.axis import Rebalance, RoleLife, RunStory
from harness.report.page.lanes import Bar, Dot, Group, Row
from harness.report.page.wording import cut, moment

SOON_S = 2.0
"""Within so long after its crash point a process is seen to have ended."""
GLYPHS = {"crashed": "✕", "ended": "▪", "assigned": "▲", "revoked": "▽"}


def process_lanes(story: RunStory) -> Group:
    """Return one lane for each process, by name."""
    names = sorted({f"{life.role}-{life.instance}" for life in story.roles})
    return Group(title="Processes", rows=tuple(_row(name, story) for name in names))


def trouble_lanes(story: RunStory) -> Group:
    """Return what went wrong that was no scheduled fault: one lane for each kind."""
    kinds = dict.fromkeys(trouble.kind for trouble in story.troubles)
    return Group(
        title="Trouble that was no scheduled fault",
        rows=tuple(
            Row(
                name=f"of the {kind}",
                dots=tuple(
                    _dot(each.at_s, "crashed", cut(each.message))
                    for each in story.troubles
                    if each.kind == kind
                ),
            )
            for kind in kinds
        ),
    )


def _row(name: str, story: RunStory) -> Row:
    lives = [life for life in story.roles if f"{life.role}-{life.instance}" == name]
    changes = [change for change in story.rebalances if change.who == name]
    dots = [*_ends(name, lives), *_crashes(name, lives, story), *map(_rebalance, changes)]
    return Row(
        name=name,
        bars=tuple(_alive(life, story.length_s) for life in lives),
        dots=tuple(sorted(dots, key=lambda dot: dot.at_s)),
        looks="process",
    )


def _alive(life: RoleLife, length_s: float) -> Bar:
    return Bar(from_s=life.from_s, to_s=length_s if life.to_s is None else life.to_s, looks="alive")


def _ends(name: str, lives: list[RoleLife]) -> Iterator[Dot]:
    for life in lives:
        if life.to_s is None:
            continue
        if life.point:
            said = f"{name} killed itself at its crash point {life.point}"
        elif life.asked:
            said = f"{name} was ended by the harness"
        else:
            said = f"{name} ended by itself with {life.code}\n{life.output}".rstrip()
        looks = "crashed" if life.point or not life.asked else "ended"
        yield _dot(life.to_s, looks, said)


def _crashes(name: str, lives: list[RoleLife], story: RunStory) -> Iterator[Dot]:
    """Yield the crash points that no end of a process tells of already."""
    for crash in story.crashes:
        told = any(
            life.point == crash.point and abs((life.to_s or 0.0) - crash.at_s) < SOON_S
            for life in lives
        )
        if crash.who == name and not told:
            yield _dot(crash.at_s, "crashed", f"{name} passed its crash point {crash.point}")


def _rebalance(change: Rebalance) -> Dot:
    which = ", ".join(map(str, change.partitions))
    got = "was given" if change.change == "assigned" else "lost"
    return _dot(change.at_s, change.change, f"{change.who} {got} {change.topic}: {which}")


def _dot(at_s: float, looks: str, said: str) -> Dot:
    return Dot(at_s=at_s, looks=looks, glyph=GLYPHS[looks], detail=f"{moment(at_s)} s: {said}")
