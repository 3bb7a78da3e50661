"""Makes `.venv` exactly as requirements.lock says; `make` runs it with nothing but a Python.

It must not import anything outside the standard library.
"""

import fcntl
import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "stamp"
LOCK = ROOT / "requirements.lock"
SOURCES = (LOCK, ROOT / "pyproject.toml", Path(__file__).resolve())
OLDEST = (3, 11)


def main() -> None:
    """Make the environment unless its stamp says that it is whole; two at once take turns."""
    if sys.version_info < OLDEST:
        sys.exit(f"Python 3.11 or newer is needed; {sys.executable} is {sys.version}")
    with (ROOT / ".venv.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        wanted = digest()
        if not (PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted):
            make()
        STAMP.write_text(wanted)


def digest() -> str:
    """Return a name for all that the environment is made from."""
    parts = [sys.version, str(VENV), *(path.read_text(encoding="utf-8") for path in SOURCES)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def make() -> None:
    """Make it from nothing: a half-made one is not worth telling apart."""
    STAMP.unlink(missing_ok=True)
    shutil.rmtree(VENV, ignore_errors=True)
    sys.stdout.write(f"making .venv with Python {sys.version.split()[0]}\n")
    sys.stdout.flush()
    if not succeeds(sys.executable, "-m", "venv", VENV):
        sys.exit("python -m venv failed; on Debian and Ubuntu: apt-get install python3-venv")
    bootstrap = VENV / "uv.lock"
    bootstrap.write_text(pinned("uv"))
    run(*PIP, "--no-deps", "--requirement", bootstrap)
    # A role that is started ten times a minute must not compile its packages each time, wherever
    # PYTHONDONTWRITEBYTECODE keeps the first start from doing it for all others.
    # pip knows settings that uv does not (pip.conf), so it is asked where uv cannot do it.
    if not succeeds(
        *UV, "sync", "--quiet", "--compile-bytecode", "--python", PYTHON, "--require-hashes", LOCK
    ):
        run(*PIP, "--requirement", LOCK)
    offline = ("--no-deps", "--no-index", "--no-build-isolation")
    run(*UV, "install", "--quiet", "--python", PYTHON, *offline, "--editable", ROOT)


PIP = (PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
UV = (PYTHON, "-m", "uv", "pip")


def pinned(project: str) -> str:
    """Return the lines of the lock that pin one project with its hashes."""
    text = LOCK.read_text(encoding="utf-8")
    found = re.search(rf"^{project}==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        sys.exit(f"requirements.lock does not name {project}: run make lock")
    return found[0]


def run(*argv: object) -> None:
    """Run one step; a failure ends this program, so that no stamp is written."""
    if not succeeds(*argv):
        sys.exit(f"failed: {' '.join(map(str, argv))}\nThe next make begins anew.")


def succeeds(*argv: object) -> bool:
    """Tell whether a command ended well."""
    return subprocess.call([str(each) for each in argv]) == 0


if __name__ == "__main__":
    main()
