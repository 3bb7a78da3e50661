"""Lengths of time as people write them."""

import pytest

from harness.clock import duration_s


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5h", 5400), (" 5m ", 300)]
)
def test_a_length_of_time_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    """Seconds, minutes or hours."""
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "10", "m", "-5m", "0s", "nans", "1e3s", "5d", "5 m", "1h30m"])
def test_anything_else_is_refused_with_what_to_write(text: str) -> None:
    """No guess at what was meant."""
    with pytest.raises(ValueError, match="is no length of time: write 90s, 30m or 2h"):
        duration_s(text)
