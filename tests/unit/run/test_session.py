"""A session whose lab does not come up, and what is refused before one is started."""

from pathlib import Path

import pytest

from harness.errors import LabError, UsageError
from harness.pipeline.loader import check_pipeline
from harness.pipeline.spec import Spec
from harness.run.plan import pipeline
from harness.run.session import LabSession
from harness.schedule.words import consumer, skew

from .no_lab import no_lab


def test_a_run_whose_lab_does_not_come_up_leaves_no_folder(tmp_path: Path) -> None:
    """There is nothing to judge in it, and a report would call it a run."""
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    with LabSession(start=no_lab, runs=tmp_path) as session:
        with pytest.raises(LabError, match="Nobody came up"):
            session.run(pipeline("outbox"))
        assert session.played == []
    assert list(tmp_path.iterdir()) == [earlier]


def in_a_container() -> Spec:
    """Return the reference pipeline with its consumers in containers."""
    spec = pipeline("outbox")
    roles = spec.document["roles"]
    assert isinstance(roles, dict)
    changed = {**roles, "consumer": {**roles["consumer"], "image": "shop/consumer:7"}}
    return check_pipeline({**spec.document, "roles": changed}, path=spec.path, source="outbox")


def test_a_role_with_an_image_is_refused_before_a_lab_of_processes_starts(tmp_path: Path) -> None:
    """The error says which image, and which backend would have it."""
    with (
        LabSession(start=no_lab, runs=tmp_path) as session,
        pytest.raises(UsageError, match="shop/consumer:7") as told,
    ):
        session.run(in_a_container())
    assert told.value.remedy is not None
    assert "--backend docker" in told.value.remedy
    assert list(tmp_path.iterdir()) == []


def test_an_image_is_asked_for_once_before_anything_starts(tmp_path: Path) -> None:
    """Two consumers need it, and one look tells."""
    asked: list[str] = []
    with (
        LabSession(start=no_lab, runs=tmp_path, require_image=asked.append) as session,
        pytest.raises(LabError, match="Nobody came up"),
    ):
        session.run(in_a_container())
    assert asked == ["shop/consumer:7"]


def test_the_clock_of_a_container_cannot_be_set_wrong(tmp_path: Path) -> None:
    """Refused with what to do, rather than played without an effect."""
    with (
        LabSession(start=no_lab, runs=tmp_path, require_image=lambda _: None) as session,
        pytest.raises(UsageError, match="clock of consumer cannot be set wrong"),
    ):
        session.run(in_a_container(), skew(consumer(0), by_s=60.0).for_seconds(1))
