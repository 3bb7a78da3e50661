"""Where labs live on disk: one folder each, below one root per user, named by a held claim."""

import os
import re
import secrets
import stat
import tempfile
from pathlib import Path

from harness.errors import LabError
from harness.lab.keeping.claims import Claim, try_claim

SUFFIX = ".lock"
_NAME = re.compile(r"lab-[0-9a-f]{8}")
_THROUGH = 0o711
"""The account that runs PostgreSQL must get through, and see nothing."""


def root() -> Path:
    """Return the folder of this user's labs, made if absent; LabError if it is somebody else's."""
    folder = Path(tempfile.gettempdir()).resolve() / f"harness-{os.geteuid()}"
    folder.mkdir(mode=_THROUGH, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise LabError(
            f"{folder} belongs to somebody else",
            remedy="remove it, or point TMPDIR at a folder of your own",
        )
    folder.chmod(_THROUGH)
    return folder


def require_passage() -> None:
    """Raise LabError if the account that PostgreSQL has on this machine cannot get through."""
    if os.geteuid() != 0:
        return  # it is ours
    for each in root().parents:
        if not each.stat().st_mode & stat.S_IXOTH:
            raise LabError(
                f"{each} lets only some accounts through, and PostgreSQL, which refuses to run as "
                f"root, runs under another one below it",
                remedy=f"chmod o+x {each}, or point TMPDIR at another folder",
            )


def claim_name() -> tuple[Path, Claim]:
    """Return the folder of a new lab, not yet made, and the claim on its name."""
    while True:
        folder = root() / f"lab-{secrets.token_hex(4)}"
        claim = try_claim(Path(f"{folder}{SUFFIX}"))
        if claim is not None:
            return folder, claim


def make(folder: Path) -> None:
    """Make a lab's folder."""
    folder.mkdir(mode=_THROUGH)
    folder.chmod(_THROUGH)  # whatever the umask is


def known() -> list[Path]:
    """Return the folder of every lab, dead or alive, that has a folder or a claim file."""
    found = {path.with_suffix("") for path in root().glob("lab-*")}
    return sorted(path for path in found if _NAME.fullmatch(path.name))
