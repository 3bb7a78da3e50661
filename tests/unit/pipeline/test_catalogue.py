"""The catalogue: what was measured belongs to the variant as it is, and the page is current."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.campaign.claims import claims
from harness.errors import UsageError
from harness.pipeline.catalogue import (
    Entry,
    Measured,
    catalogue,
    claim_of,
    page,
    read_measured,
    write_measured,
)
from harness.pipeline.variant import list_variants, load_variant

PAGE = Path(__file__).parents[3] / "docs" / "catalogue.md"
ACKS = load_variant("acks-1")


def _measured(caught: int, runs: int, **others: int) -> Measured:
    return Measured(
        claim=claim_of(ACKS),
        kafka="4.3.1",
        runs=runs,
        caught=caught,
        others=others,
        on="2026-11-26",
    )


def test_the_page_is_current() -> None:
    """`make catalogue` would change nothing."""
    assert PAGE.read_text(encoding="utf-8") == page(catalogue())


def test_what_was_measured_is_of_variants_that_there_are() -> None:
    """A variant that is renamed or removed takes its measurement with it."""
    assert read_measured().keys() <= {variant.name for variant in list_variants()}


def test_measurements_are_read_as_they_were_written(tmp_path: Path) -> None:
    """Nothing is lost on the way through the file."""
    written = {"acks-1": _measured(9, 10, PASSED=1)}
    write_measured(written, tmp_path / "measured.json")
    assert read_measured(tmp_path / "measured.json") == written


def test_a_misspelt_measurement_is_a_usage_error(tmp_path: Path) -> None:
    """Unknown keys are never ignored."""
    file = tmp_path / "measured.json"
    file.write_text('{"acks-1": {"cought": 3}}', encoding="utf-8")
    with pytest.raises(UsageError, match="cought"):
        read_measured(file)


def test_a_measurement_of_another_claim_is_void() -> None:
    """Whoever changes a variant's schedule or override has to measure it again."""
    known = {"acks-1": replace(_measured(10, 10), claim="000000000000")}
    (entry,) = (each for each in catalogue(known) if each.variant.name == "acks-1")
    assert (entry.measured, entry.state) == (None, "not measured")


@pytest.mark.parametrize(
    ("caught", "others", "state", "repeats"),
    [
        (10, {}, "provoked", 1),
        (5, {"PASSED": 5}, "provoked", 5),
        (0, {"PASSED": 10}, "not provoked", None),
    ],
)
def test_an_unsafe_variant_is_provoked_when_it_was_caught(
    caught: int, others: dict[str, int], state: str, repeats: int | None
) -> None:
    """And the repeats for 95 % certainty follow from the rate."""
    entry = Entry(variant=ACKS, measured=_measured(caught, 10, **others))
    assert (entry.state, entry.repeats) == (state, repeats)


@pytest.mark.parametrize(
    ("caught", "others", "state"),
    [
        (0, {"PASSED": 10}, "holds"),
        (1, {"PASSED": 9}, "accused"),
        (0, {"UNKNOWN": 10}, "not measured"),
    ],
)
def test_a_safe_variant_holds_when_every_run_passed(
    caught: int, others: dict[str, int], state: str
) -> None:
    """An inconclusive run proves nothing for it."""
    safe = load_variant("safe")
    entry = Entry(variant=safe, measured=_measured(caught, 10, **others))
    assert (entry.state, entry.repeats) == (state, None)


def test_what_was_not_provoked_says_what_was_tried() -> None:
    """It keeps its place on the page, without figures."""
    entry = Entry(variant=replace(ACKS, tried="Ten restarts in a row."), measured=None)
    assert entry.state == "not provoked"
    assert "What was tried: Ten restarts in a row." in page([entry])


def test_claims_of_a_row_leave_out_what_is_told_elsewhere_and_what_was_not_provoked() -> None:
    """The rest is what a scenario file still has to play."""
    named = claims("acks", but=("acks-0",))
    of_the_row = {variant.name for variant in list_variants() if variant.row == "acks"}
    tried = {variant.name for variant in list_variants() if variant.tried}
    assert set(named) == of_the_row - tried - {"acks-0"}
    assert "acks-1" in named
