"""Keeps a warden beside this process for as long as a lab lives."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from harness.lab.keeping import warden
from harness.lab.keeping.claims import Claim

_END_S = 20.0


class Guardian:
    """This process's hold on its warden: the writing end of the pipe that the warden reads."""

    def __init__(self, folder: Path, *, claims: list[Claim], label: str = "") -> None:
        """Start the warden; it shares `claims`, so that they last until it is done.

        `label` is what the containers of the lab bear, if it has any.
        """
        reading, self._writing = os.pipe()
        words = (str(folder), folder.name, *((label,) if label else ()))
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", warden.__file__, *words],
                cwd="/",
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=[claim.descriptor for claim in claims],
            )
        finally:
            os.close(reading)

    def alive(self) -> bool:
        """Tell whether the warden watches."""
        return self._process.poll() is None

    def dismiss(self) -> None:
        """Tell the warden that the lab is cleared, and wait until it is gone."""
        if self._writing < 0:
            return
        with suppress(BrokenPipeError):  # it is gone already
            os.write(self._writing, warden.DONE)
        os.close(self._writing)
        self._writing = -1
        self._process.wait(timeout=_END_S)
