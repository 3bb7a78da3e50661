"""The labels by which the containers and networks of a lab are found, and by which alone.

Whether the owner of a lab lives is told by the claim on its name, as for local labs: a lock that
the kernel lets go of with the last process that holds it. An engine may serve several machines and
users, so a lab also bears whose claims to ask: no other owner's labs are ever touched.
"""

import hashlib
import os
import platform
from pathlib import Path

from harness.lab.keeping import folders

LAB = "zero-loss-harness.lab"
OWNER = "zero-loss-harness.owner"
SERVER = "zero-loss-harness.server"
KAFKA = "zero-loss-harness.kafka"
PROFILE = "zero-loss-harness.profile"
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))


def owner() -> str:
    """Return who claims the names of labs here: a machine, a user, a folder of claims."""
    text = "\n".join((platform.node(), _machine_id(), str(os.geteuid()), str(folders.root())))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def of_lab(name: str) -> dict[str, str]:
    """Return what everything in the engine bears that belongs to a lab."""
    return {LAB: name, OWNER: owner()}


def label(name: str) -> str:
    """Return what the engine is asked for to find a lab."""
    return f"{LAB}={name}"


def _machine_id() -> str:
    for path in _MACHINE_IDS:
        try:
            return path.read_text(encoding="ascii").strip()
        except OSError:
            continue
    return ""
