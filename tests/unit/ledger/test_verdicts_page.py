"""docs/verdicts.md: every outcome, finding, hop and figure is explained, and every command ends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.ledger.findings import EXIT_CODES, Hop, Kind, Outcome
from harness.ledger.judge import judge

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worlds import Row, World

PAGE = (Path(__file__).parents[3] / "docs" / "verdicts.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*Kind, *Hop])
def test_every_finding_and_hop_is_explained(word: Kind | Hop) -> None:
    """A word of a verdict that stands nowhere is a word that nobody understands."""
    assert f"`{word}`" in PAGE


def test_the_outcomes_are_explained_in_their_order() -> None:
    """The table is in the order in which they count, and so is what it says of it."""
    assert re.findall(r"^\| ([A-Z_]+) \|", PAGE, re.MULTILINE) == [str(each) for each in Outcome]
    assert set(EXIT_CODES) == set(Outcome)


def test_every_figure_is_explained(
    world: World, make_timeline: Callable[..., list[Row]], tmp_path: Path
) -> None:
    """Those of a run that was drained, with everything that one can have."""
    figures = judge(world.write(tmp_path, timeline=make_timeline())).figures

    assert {"messages_stuck", "drain_s"} < set(figures)
    assert [name for name in figures if f"`{name}`" not in PAGE] == []


def test_every_command_has_its_exit_codes() -> None:
    """A script that calls one wants to know what it means."""
    codes = PAGE.partition("## Exit codes")[2]
    assert [name for name in main.commands if f"`{name}`" not in codes] == []
