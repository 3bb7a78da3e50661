"""Lanes of the time axis: what stands in a row, from when to when. PURE.

A row is a name and what is drawn beside it: bars (from, to) and dots (at), in seconds of the run.
The page places them by two numbers, the beginning and the length of what is shown, so that a
browser zooms by changing those and nothing else.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something that lasted."""

    from_s: float
    to_s: float
    looks: str
    """The class of its style."""
    label: str = ""
    """What is written into it, as far as it fits."""
    detail: str = ""
    """What a reader sees who points at it; empty: it is not pointed at."""
    fault: int | None = None
    """The fault it belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """Something that happened at one moment."""

    at_s: float
    looks: str
    detail: str
    glyph: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One lane."""

    name: str
    note: str = ""
    bars: tuple[Bar, ...] = ()
    dots: tuple[Dot, ...] = ()
    looks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lanes that belong together, under a title."""

    title: str
    rows: tuple[Row, ...]
    note: str = ""
    """What is left out, in words."""
