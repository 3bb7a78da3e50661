"""`--labs`: more of them than the machine has cores for is told, and played nevertheless."""

import click
import pytest
from click.testing import CliRunner

from harness.cli import asked


@click.command()
@asked.LABS
def command(labs: int) -> None:
    """Say how many it was given."""
    click.echo(f"{labs} labs")


@pytest.mark.parametrize(
    ("cores", "labs", "told"), [(2, 1, False), (2, 2, True), (4, 2, False), (1, 1, False)]
)
def test_more_labs_than_pay_are_told(
    monkeypatch: pytest.MonkeyPatch, cores: int, labs: int, *, told: bool
) -> None:
    """One keeps two cores busy; a machine of one core may have one all the same."""
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    result = CliRunner().invoke(command, ["--labs", str(labs)])
    assert result.exit_code == 0
    assert f"{labs} labs\n" in result.stdout
    assert ("note:" in result.stderr) == told
