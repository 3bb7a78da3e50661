"""A machine without a browser is told what to do; in continuous integration that is a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

FINDER = Path(__file__).parents[2] / ".ci" / "browser.py"


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_without_a_browser_the_remedy_is_said(ci: str, code: int, tmp_path: Path) -> None:
    """Nothing is printed that could be taken for a path."""
    ended = subprocess.run(
        [sys.executable, FINDER, "--find"],
        env={"PATH": str(tmp_path), "CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (code, "")
    assert "apt-get install chromium chromium-driver" in ended.stderr
