"""Claims that the kernel lets go of when their last holder dies: a lab's name and its ports.

A claim is an flock on an open file. The harness shares it with its warden by inheritance, so it
stays held until a dead harness's lab is cleared; a lock of the usual libraries cannot be shared.
"""

import fcntl
import os
from pathlib import Path


class Claim:
    """A held lock file."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor

    def release(self, *, unlink: bool = False) -> None:
        """Let go of it, here and in every process that shares it; safe to call twice."""
        if self.descriptor < 0:
            return
        if unlink:
            self.path.unlink(missing_ok=True)
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)
        os.close(self.descriptor)
        self.descriptor = -1


def try_claim(path: Path) -> Claim | None:
    """Return the claim on `path`, or None if somebody who lives holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        same = os.fstat(descriptor).st_ino == path.stat().st_ino
    except (BlockingIOError, FileNotFoundError):
        same = False
    if not same:  # held by another, or unlinked by one who cleared it between the two calls
        os.close(descriptor)
        return None
    return Claim(path, descriptor)
