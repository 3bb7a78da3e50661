"""A lab that fails before a run has begun: a verdict, never an exception."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.errors import LabError
from harness.ledger.findings import Outcome
from harness.run.engine import play
from harness.run.events import Events
from harness.run.folder import make_run_folder
from harness.run.plan import spec_of
from harness.run.stage import Stage
from harness.schedule.values import Schedule


class _Database:
    """A database server that makes none."""

    def url(self, name: str) -> str:
        """Return where it would be."""
        return f"postgresql://127.0.0.1:1/{name}"

    def create(self, _name: str) -> None:
        """Fail as a server that just died."""
        raise LabError("the database server is gone")


class _Nodes:
    """Nodes that cannot be healed."""

    def __init__(self, why: BaseException) -> None:
        self._why = why

    def values(self) -> tuple[object, ...]:
        """Fail as a lab that is gone."""
        raise self._why


def _lab(why: BaseException) -> Any:  # noqa: ANN401  # stands in for a whole lab that gets no further
    nothing = SimpleNamespace(
        all=lambda: (), close=lambda: None, lead=lambda _: None, lead_back=lambda: None
    )
    return SimpleNamespace(
        database=_Database(),
        nodes=_Nodes(why),
        cluster=SimpleNamespace(
            controller=lambda: None,
            delete_topics=lambda _: None,
            ends=lambda _: {},
            partitions=lambda: (),
        ),
        links=nothing,
        frames=nothing,
        describe=lambda: {"profile": "fast", "kafka": "4.3.1"},
        role_environment=dict,
        start_role=lambda _: None,
    )


def test_a_lab_that_fails_while_the_stage_is_set_accuses_nobody(tmp_path: Path) -> None:
    """A campaign goes on with the next run: one hiccup of a server must not end a night."""
    schedule = Schedule(pipeline="outbox")
    folder = make_run_folder(tmp_path, name="outbox", schedule=schedule)
    played = play(
        _lab(LabError("no node answers")),
        spec_of("outbox", None),
        schedule,
        folder=folder,
        environment={},
    )
    assert played.verdict.outcome is Outcome.UNKNOWN  # no witness could be read
    assert any("the database server is gone" in why for why in played.verdict.reasons)


def test_ctrl_c_while_the_stage_is_cleared_leaves_no_watcher(tmp_path: Path) -> None:
    """A watcher that went on would ask a lab that is gone, and hold up the end of its process."""
    schedule = Schedule(pipeline="outbox")
    folder = make_run_folder(tmp_path, name="outbox", schedule=schedule)
    stage = Stage(
        _lab(KeyboardInterrupt()),
        spec_of("outbox", None),
        schedule,
        folder=folder,
        events=Events(),
    )
    for watcher in (stage.watch, stage.controllers, stage.gauges):
        watcher.start()
    started = {"cluster-watch", "controller-watch", "gauges"}
    assert started <= {thread.name for thread in threading.enumerate()}
    with pytest.raises(KeyboardInterrupt):
        stage.__exit__(None, None, None)
    assert not started & {thread.name for thread in threading.enumerate()}
