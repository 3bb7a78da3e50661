"""Numbers, times and strange texts in the words of the page. PURE."""

from datetime import UTC, datetime

from harness.ledger.findings import Outcome

LONGEST = 300
"""Characters of a foreign text that are shown; the whole one is in report.json."""

MEANING = {
    Outcome.PASSED: "no committed message was lost, and none was processed twice",
    Outcome.FAILED: "the guarantee does not hold",
    Outcome.UNKNOWN: "some runs cannot be judged: nobody is accused, and nothing is proven",
    Outcome.HANG: "nothing is lost, but progress stopped",
    Outcome.HARNESS_ERROR: "the harness or its lab had trouble of its own",
    Outcome.VACUOUS: "too little was tested to say anything",
}
"""What an outcome of a whole report says, in one line."""

_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"}
_TURNING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_NO_CHARACTERS = (*range(0xD800, 0xE000), 0xFFFE, 0xFFFF)
_VISIBLE = _PICTURES | {0x7F: 0x2421} | dict.fromkeys((*_TURNING, *_NO_CHARACTERS), 0xFFFD)


def visible(text: str) -> str:
    """Return a text in which nothing hides: no control, no turned direction, no half character."""
    return text.translate(_VISIBLE)


def cut(text: object, longest: int = LONGEST) -> str:
    """Return a text that fits, and says how long it was where it did not."""
    whole = str(text)
    if len(whole) <= longest:
        return whole
    return f"{whole[: longest - 40]}… ({len(whole):,} characters)"


def count(number: float) -> str:
    """Return a whole number with its thousands apart: `48,211`."""
    return f"{number:,.0f}"


def moment(seconds: float) -> str:
    """Return a moment of a run, to the hundredth: `3.27`."""
    return f"{seconds:.2f}"


def duration(seconds: float | None) -> str:
    """Return a length of time in the unit that suits it: `260 ms`, `3.3 s`, `2 min 5 s`."""
    if seconds is None:
        return "-"
    if seconds < 0.9995:  # noqa: PLR2004  # what would be rounded to 1000 ms
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:  # noqa: PLR2004  # what would be rounded to 60.0 s
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def share(part: float) -> str:
    """Return a share of one in percent, with two digits that say something: `8.1 %`, `0.15 %`."""
    percent = 100 * part
    if percent in (0, 100):
        return f"{percent:.0f} %"
    digits = 0 if 10 <= percent <= 99 else 1 if percent >= 1 else 2  # noqa: PLR2004
    return f"{percent:.{digits}f} %"


def size(number: float) -> str:
    """Return a number of bytes: `812 B`, `1.2 kB`, `3.4 MB`."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= step:
            return f"{number / step:.1f} {unit}"
    return f"{number:.0f} B"


def when(stamp: str) -> str:
    """Return an ISO 8601 moment as `2026-11-26 00:13 UTC`; anything else as it is."""
    try:
        at = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    known = at.astimezone(UTC) if at.tzinfo else at
    return f"{known:%Y-%m-%d %H:%M}{' UTC' if at.tzinfo else ''}"


def clock(stamp: str) -> str:
    """Return the time of day of an ISO 8601 moment: `00:13:07`."""
    try:
        return f"{datetime.fromisoformat(stamp):%H:%M:%S}"
    except ValueError:
        return stamp
