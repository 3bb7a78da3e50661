"""The scenarios as a specification: they tell every row of the catalogue."""

import re
from pathlib import Path

from harness.pipeline.variant import list_variants

SCENARIOS = Path(__file__).parents[2] / "scenarios"
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SCENARIOS.glob("test_*.py")))


def test_every_row_of_the_catalogue_is_told_by_a_scenario() -> None:
    """A row is told where `claims` names it, or where each of its variants is named."""
    told = re.findall(r'"([^"\n]+)"', TEXT)
    untold = [
        each.name
        for each in list_variants()
        if not each.tried and each.row not in told and each.name not in told
    ]
    assert untold == []
