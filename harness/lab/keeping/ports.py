"""Claims a block of free ports for one lab, so that labs start side by side."""

import errno
import socket
from pathlib import Path

import platformdirs
import psutil

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.keeping.claims import Claim, try_claim

FIRST = 20_000
STEP = 200
LAST = 32_768
"""Blocks end below this, where Linux begins to hand out ports to outgoing connections."""
PATIENCE_S = 5.0
_UNPRIVILEGED = 1024


def state_folder() -> Path:
    """Return the per-user folder of port claims, made if it is absent."""
    folder = platformdirs.user_state_path("zero-loss-harness", appauthor=False) / "ports"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def claim_block(size: int, *, base: int | None = None) -> tuple[int, Claim]:
    """Return the first port of a free block and the claim on it.

    With `base` that very block or a LabError which names the port that is taken and by whom.
    """
    if base is not None:
        return base, _claim_fixed(base, size)
    for candidate in range(FIRST, LAST - size, STEP):
        claim = try_claim(state_folder() / f"{candidate}.lock")
        if claim is None:
            continue
        if _taken(candidate, size) is None:
            return candidate, claim
        claim.release()
    raise LabError(
        f"No block of {size} free ports was found between {FIRST} and {LAST}",
        remedy="end other labs (`ps` shows them by HARNESS_LAB), or fix a base with --port-base",
    )


def _claim_fixed(base: int, size: int) -> Claim:
    """Claim a block by its base; one whose lab is just being cleared is waited for."""
    if not _UNPRIVILEGED <= base <= 65_536 - size:
        raise LabError(f"A port base of {base} leaves no room for {size} ports below 65536")
    claim = wait_until(
        lambda: try_claim(state_folder() / f"{base}.lock"),
        deadline_s=PATIENCE_S,
        describe=f"the ports from {base} on, which another lab of this user holds",
    )
    port = _taken(base, size)
    if port is not None:
        claim.release()
        raise LabError(
            f"Port {port} is taken{_holder(port)}; a lab at base {base} needs "
            f"{base} to {base + size - 1}",
            remedy="end that process, or choose another base",
        )
    return claim


def _taken(base: int, size: int) -> int | None:
    return next((port for port in range(base, base + size) if not _binds(port)), None)


def _binds(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        # As the servers do: a connection of an earlier lab in TIME_WAIT is no obstacle.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
            sock.listen(1)
        except OSError as error:
            if error.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
    return True


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            local = connection.laddr
            if local and local.port == port and connection.pid and connection.status == "LISTEN":
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass  # only the owner or root may know
    return ""
