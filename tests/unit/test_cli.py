"""How a command ends: its exit code is a verdict, so an error of our own must not look like one."""

import click
import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.errors import LabError, UsageError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IndexError("tuple index out of range"), 4),
        (LabError("gone"), 4),
        (UsageError("wrong"), 2),
        (click.UsageError("wrong"), 2),
        (click.exceptions.Exit(3), 3),
        (OSError("no space left"), 4),
    ],
)
def test_no_error_ends_a_command_with_the_code_of_a_pipeline_that_failed(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: int
) -> None:
    """That is 1; what nobody expected is an error of the harness."""

    def stumble() -> None:
        raise error

    monkeypatch.setitem(main.commands, "stumble", click.Command("stumble", callback=stumble))
    result = CliRunner().invoke(main, ["stumble"])
    assert result.exit_code == code
    assert ("Traceback" in result.stderr) is isinstance(error, IndexError)
