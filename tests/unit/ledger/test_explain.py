"""One message's life, told from a small folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from harness.ledger.explain import explain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .worlds import Row, World

RELAY = (
    {"n": 1, "at_us": 1_100_000, "event": "start", "pid": 7},
    {"n": 2, "at_us": 2_600_000, "event": "acked", "ids": [1, 2], "topic": "a",
     "partitions": [1, 0], "offsets": [0, 1]},
    {"n": 3, "at_us": 2_700_000, "event": "send-failed", "ids": [3], "error": "no leader"},
)  # fmt: skip


@pytest.fixture
def folder(world: World, make_timeline: Callable[..., list[Row]], tmp_path: Path) -> Path:
    """Return a run in which message 2 was acknowledged under a fault and vanished."""
    fault = {"event": "fault", "fault": 0, "what": "kill the leader"}
    timeline = [
        *make_timeline()[:2],
        fault | {"at_us": 2_500_000, "state": "held"},
        fault | {"at_us": 3_500_000, "state": "healed", "bit": True},
        *make_timeline()[2:],
    ]
    world.drop("log", 2)
    world.drop("effects", 2)
    journal = "".join(json.dumps(line) + "\n" for line in RELAY).encode()
    return world.write(tmp_path, timeline=timeline, journals={"relay-0": journal})


def test_a_life_is_told_in_order_of_time_beside_the_faults(folder: Path) -> None:
    """Witness rows first, then journals between phases and faults, times since the beginning."""
    lines = explain(folder, "2").splitlines()
    assert lines[0] == "message 2"
    assert "  log: nothing" in lines
    told = [line.split(maxsplit=1) for line in lines[lines.index("") :] if line.startswith("   ")]
    assert [tuple(pair) for pair in told[:5]] == [
        ("0.000", "— warm-up —"),
        ("1.000", "— storm —"),
        ("1.500", "* fault 0 held: kill the leader"),
        (
            "1.600",
            "relay-0 had it acknowledged at a/0@1   [in force: fault 0 (kill the leader)]",
        ),
        ("2.000", "— heal —"),
    ]


def test_an_error_of_the_client_is_told(folder: Path) -> None:
    """The journal's words are passed on."""
    assert "relay-0 failed to send it (no leader)" in explain(folder, "3")


def test_a_message_that_nobody_knows_is_an_error(folder: Path) -> None:
    """It says where ids come from."""
    with pytest.raises(UsageError, match="knows a message 99"):
        explain(folder, "99")
