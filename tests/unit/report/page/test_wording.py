"""Numbers and strange texts read as a person would write them."""

import pytest

from harness.report.page import wording


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "-"), (0, "0 ms"), (0.26, "260 ms"), (0.9994, "999 ms"), (0.9995, "1.0 s"),
        (3.27, "3.3 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (125, "2 min 5 s"),
        (4320, "1 h 12 min"),
    ],
)  # fmt: skip
def test_a_length_of_time_has_the_unit_that_suits_it(seconds: float | None, said: str) -> None:
    """No length reads as 1000 ms or 60.0 s."""
    assert wording.duration(seconds) == said


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (0, "0 %"), (1, "100 %"), (0.0015, "0.15 %"), (0.081, "8.1 %"), (0.5, "50 %"),
        (0.999, "99.9 %"),
    ],
)  # fmt: skip
def test_a_share_keeps_two_digits_that_say_something(part: float, said: str) -> None:
    """Nothing that is not all reads as 100 %."""
    assert wording.share(part) == said


def test_a_long_text_is_cut_and_says_how_long_it_was() -> None:
    """What fits is left alone."""
    assert wording.cut("k" * 300) == "k" * 300
    assert wording.cut("k" * 10_000).endswith("kk… (10,000 characters)")
    assert len(wording.cut("k" * 10_000)) <= 300


def test_nothing_hides_in_a_text() -> None:
    """Controls are pictures, turned directions and half characters are replaced; lines stay."""
    assert wording.visible("a\x00\x1b[31m\n\u202ebc\ud800\x7f") == "a␀␛[31m\n\ufffdbc\ufffd␡"


def test_moments_are_told_in_utc() -> None:
    """Whatever is no moment stays as it is."""
    assert wording.when("2026-11-26T03:00:00+02:00") == "2026-11-26 01:00 UTC"
    assert wording.when("2026-11-26T03:00:00") == "2026-11-26 03:00"
    assert wording.when("yesterday") == "yesterday"


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 B"), (812, "812 B"), (1_200, "1.2 kB"), (3.4e6, "3.4 MB")]
)
def test_bytes_have_the_unit_that_suits_them(number: float, said: str) -> None:
    """Decimal units, as networks count."""
    assert wording.size(number) == said
