"""docs/schedule-json.md: its example can be played, and it misses no kind and no key."""

import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from harness.schedule import moments, network, operations, processes, targets
from harness.schedule.codec import from_json, to_json
from harness.schedule.shape import OUTBOX
from harness.schedule.validate import check_schedule
from harness.schedule.values import Schedule, Workload

PAGE = (Path(__file__).parents[3] / "docs" / "schedule-json.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]
PARTS: list[Any] = [
    part
    for module in (moments, network, operations, processes, targets)
    for part in vars(module).values()
    if isinstance(part, type) and part.__module__ == module.__name__ and "kind" in vars(part)
]


def written(part: Any) -> Iterator[str]:  # noqa: ANN401  # dataclasses have no type
    """Yield the words of a part that stand in a file: its kind, its keys, what a key may say."""
    for field in fields(part):
        words = get_args(field.type)
        if field.name == "kind":
            yield str(field.default)
            continue
        yield field.name
        if get_origin(field.type) is not None and all(isinstance(word, str) for word in words):
            yield from (word for word in words if field.name not in ("api", "name"))


def test_the_example_can_be_played() -> None:
    """On the reference pipeline; written anew, it is read to the same value."""
    schedule = from_json(EXAMPLE, source="the page")

    check_schedule(schedule, topics=OUTBOX.topics, roles=OUTBOX.roles)

    assert from_json(to_json(schedule), source="again") == schedule
    assert len(schedule.faults) > 1


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_part_is_explained(part: type) -> None:
    """A fault, target or moment that stands nowhere cannot be written by hand."""
    assert [word for word in written(part) if not re.search(rf'[`"]{word}[`"]', PAGE)] == []


@pytest.mark.parametrize("part", [Schedule, Workload, network.Damage])
def test_every_key_is_explained(part: Any) -> None:  # noqa: ANN401  # dataclasses have no type
    """Of the schedule itself, its workload, and a damage."""
    missing = [key.name for key in fields(part) if not re.search(rf'[`"]{key.name}[`"]', PAGE)]
    assert missing == []
