"""Curves over the time axis, as paths of inline SVG. PURE.

A path counts milliseconds across and thousandths of the scale down, so that the page can stretch it
and a browser can read values back out of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.report.axis import Series
from harness.report.page.scale import above
from harness.report.page.wording import count, moment

HEIGHT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One drawn curve."""

    name: str
    path: str
    summary: str
    """What it shows, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Curves of one unit over one another."""

    unit: str
    top: float
    """The value at the upper edge; the lower one is zero."""
    curves: tuple[Curve, ...]


def charts(series: Sequence[Series]) -> tuple[Chart, ...]:
    """Return a chart for rates, which are compared, and one for each other curve."""
    rates = [one for one in series if one.unit.endswith("/s")]
    rest = [one for one in series if not one.unit.endswith("/s")]
    together = ([rates] if rates else []) + [[one] for one in rest]
    return tuple(_chart(each) for each in together)


def _chart(series: Sequence[Series]) -> Chart:
    top = above(max((max(one.values, default=0.0) for one in series), default=0.0))
    return Chart(
        unit=series[0].unit,
        top=top,
        curves=tuple(
            Curve(name=one.name, path=_path(one, top), summary=_summary(one)) for one in series
        ),
    )


def _path(one: Series, top: float) -> str:
    points = [
        f"{at * 1000:.0f} {HEIGHT - HEIGHT * max(0.0, value) / top:.0f}"
        for at, value in zip(one.times_s, one.values, strict=True)
    ]
    return f"M{'L'.join(points)}" if points else ""


def _summary(one: Series) -> str:
    if not one.values:
        return f"{one.name}: nothing was measured"
    most = max(one.values)
    at = one.times_s[one.values.index(most)]
    return f"{one.name}: at most {count(most)} {one.unit}, {moment(at)} s after the run began"
