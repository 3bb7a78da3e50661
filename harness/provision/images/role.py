"""What a role of the reference pipeline needs to run in a container: its libraries and its code.

A role imports little of the harness on purpose, and nothing else of it comes into the image.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from harness.provision import cache, command, wheel
from harness.provision.images.names import ROLE_PYTHON
from harness.provision.values import Progress

LOCK = wheel.DATA / "role.lock"
"""The libraries with their hashes, at the versions of the harness's own environment."""
CODE = ("__init__.py", "clock.py", "errors.py", "pipeline/__init__.py", "pipeline/probe.py")
REFERENCE = "pipeline/reference"


def files(*, progress: Progress) -> dict[str, Path]:
    """Return what is copied into the image, by its name below the folder of the image's packages.

    ProvisionError if the libraries are not in the cache and cannot be fetched.
    """
    libraries = _libraries(progress=progress)
    return {
        **{str(file.relative_to(libraries)): file for file in _every(libraries)},
        **{f"harness/{name}": file for name, file in _code()},
    }


def _code() -> Iterator[tuple[str, Path]]:
    package = Path(__file__).parents[2]
    for name in CODE:
        yield name, package / name
    for file in _every(package / REFERENCE):
        yield str(file.relative_to(package)), file


def _libraries(*, progress: Progress) -> Path:
    """Return the folder of the libraries, fetching their wheels at the first call."""
    text = LOCK.read_bytes()

    def build(part: Path) -> None:
        progress("fetching the libraries of roles from the package index")
        fetching = command.Command(
            argv=[
                *(*wheel.installer(), "--target", part, "--require-hashes", "--no-deps"),
                *("--only-binary", ":all:", "--python-version", ROLE_PYTHON),
                *("--requirement", LOCK),
            ],
            deadline_s=wheel.DEADLINE_S,
            doing="Fetching the libraries of roles",
            remedy="check that the package index is reachable; pip's and uv's settings are used",
        )
        command.run(fetching, log=part / "installer.log")

    name = f"role-{hashlib.sha256(text).hexdigest()[:12]}-py{ROLE_PYTHON.replace('.', '')}"
    return cache.entry(name, build, progress=progress)


def _every(folder: Path) -> list[Path]:
    """Return every file that says something of its own."""
    left_out = ("__pycache__", cache.MANIFEST, "bin")
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not set(left_out) & set(file.relative_to(folder).parts)
    ]
