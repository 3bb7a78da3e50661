"""docs/pipeline-toml.md: its examples are read by the loader, and it misses no key."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from harness.pipeline import spec as words
from harness.pipeline.loader import load_pipeline
from harness.pipeline.placeholders import GIVEN
from harness.pipeline.spec import LOCK_VARIABLES
from harness.pipeline.variant import apply, list_variants, load_variant
from harness.schedule.validate import check_schedule
from harness.schedule.values import Fault, Schedule

PAGE = (Path(__file__).parents[3] / "docs" / "pipeline-toml.md").read_text()
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
SCENARIOS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=["smallest", "complete"])
def test_an_example_is_a_valid_file(tmp_path: Path, example: str) -> None:
    """What the page shows can be copied, its variants included."""
    for name in ("load", "db"):
        (tmp_path / name).mkdir()
    for name in ("tables.sql", "db/tables.sql"):
        (tmp_path / name).touch()
    (tmp_path / "pipeline.toml").write_text(example)

    pipeline = load_pipeline(tmp_path)

    for name in pipeline.file.variants:
        assert apply(pipeline, load_variant(name, spec=pipeline)).variant == name
    assert len(list_variants(spec=pipeline)) == len(list_variants()) + len(pipeline.file.variants)


@pytest.mark.parametrize(
    "section",
    [
        words.General,
        words.Topic,
        words.Role,
        words.Message,
        words.Queries,
        words.Liveness,
        words.InlineVariant,
        words.PipelineFile,
    ],
)
def test_every_key_is_explained(section: type) -> None:
    """A key without a word about it is a key nobody finds."""
    missing = [
        field.name
        for field in fields(section)
        if not re.search(rf"(`|\[){field.name}(`|\]|\.)", PAGE)
    ]

    assert missing == []


def test_every_variable_is_explained() -> None:
    """What a placeholder may name stands in the table."""
    assert [name for name in (*GIVEN, *LOCK_VARIABLES.values()) if f"`{name}`" not in PAGE] == []


class _Recorder:
    """Stands where the lab does, and keeps what a scenario asks for."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def run(self, _: object, *faults: Fault) -> "_Recorder":
        """Keep the faults."""
        self.faults += faults
        return self

    def assert_exactly_once(self) -> None:
        """Agree."""


@pytest.mark.parametrize("source", SCENARIOS, ids=["faults"])
def test_an_example_scenario_can_be_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    """Its words exist, and name roles and topics of the pipeline beside it."""
    folder = tmp_path / "path" / "to"
    folder.mkdir(parents=True)
    (folder / "tables.sql").touch()
    (folder / "pipeline.toml").write_text(EXAMPLES[0])
    monkeypatch.chdir(tmp_path)
    words: dict[str, Any] = {}
    lab = _Recorder()

    exec(source, words)  # noqa: S102 - a page of our own
    scenarios = [value for name, value in words.items() if name.startswith("test_")]
    for scenario in scenarios:
        scenario(lab)

    spec = words["PAYMENTS"]
    check_schedule(
        Schedule(pipeline="payments", faults=tuple(lab.faults), budget="over"),
        topics={name: topic.partitions for name, topic in spec.topics.items()},
        roles={name: role.instances for name, role in spec.roles.items()},
    )
    assert len(lab.faults) >= len(scenarios) > 0
