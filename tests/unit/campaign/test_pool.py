"""Whatever a worker does instead of answering, whoever waits for it is told."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.campaign.pool import LabPool
from harness.campaign.result import Job
from harness.errors import HarnessError
from harness.lab.choice import LabChoice
from harness.schedule.values import Schedule

JOB = Job(index=0, schedule=Schedule(pipeline="outbox"))


@pytest.mark.parametrize(
    ("worker", "exit_code", "said"),
    [
        ("", 4, "The process of lab 0 gave no answer"),
        ("input(); raise SystemExit('no room')", 4, "it last said:\nno room"),
        ("input(); print('{}')", 4, "worker 0: not a result of a run"),
        ("input(); print('! {}')", 4, "gave no answer"),
        ("input(); print('! torn')", 4, "gave no answer"),
        (
            """input(); print('! {"message": "no such variant", "exit_code": 2}')""",
            2,
            "no such variant",
        ),
    ],
)
def test_a_worker_without_an_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, worker: str, exit_code: int, said: str
) -> None:
    """It is gone, or it says what is no result: nobody waits for ever."""
    start = subprocess.Popen

    def started(_: list[str], **how: Any) -> "subprocess.Popen[str]":  # noqa: ANN401  # as it is
        return start([sys.executable, "-c", worker], **how)

    monkeypatch.setattr("harness.campaign.pool.subprocess.Popen", started)
    with (
        LabPool(1, choice=LabChoice(), runs=tmp_path, progress=print) as pool,
        pytest.raises(HarnessError, match=said) as ended,
    ):
        list(pool.play([JOB]))
    assert ended.value.exit_code == exit_code
