"""Makes the base image from the distribution's packages, with debootstrap and nothing pulled.

Only root can, on a machine whose apt has a Debian mirror; what apt is told is what is used.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ProvisionError
from harness.provision import cache, command
from harness.provision.images.recipes import BASE, PACKAGES, SUITE
from harness.provision.values import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    import docker

APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
DEADLINE_S = 900.0
REMEDY = (
    "where images can be pulled, use --images public; else build them as root on Debian, "
    "whose apt has a mirror of it"
)
LEFT_OUT = (
    "./var/cache/apt/*.bin",
    "./var/cache/apt/archives/*.deb",
    "./var/lib/apt/lists/*",
    # The cluster that the package makes by itself; a lab makes its own.
    f"./var/lib/postgresql/{PACKAGES[1].rpartition('-')[2]}",
    "./usr/share/doc/*",
    "./usr/share/man/*",
    "./usr/share/locale/*",
)
LABEL = "zero-loss-harness.made-from"
"""The label of an image that names what it was made from."""


def digest() -> str:
    """Return a name for what the base is made from; not for the releases that the mirror has."""
    return hashlib.sha256("\0".join((SUITE, *PACKAGES, *LEFT_OUT)).encode()).hexdigest()


def clear() -> None:
    """Remove what one that was killed left on disk; the caller has the turn."""
    for left in cache.root().glob(".images.part-*"):
        shutil.rmtree(left)


def make(client: "docker.DockerClient", *, progress: Progress) -> None:
    """Make it, and give it its name when it is whole; the caller has the turn.

    ProvisionError without root, a Debian mirror or a network.
    """
    program = _debootstrap(progress=progress)
    mirror = _mirror()
    part = Path(tempfile.mkdtemp(prefix=".images.part-", dir=cache.root()))
    try:
        progress(f"making {BASE} from the packages of Debian {SUITE}: about a minute")
        _fill(part / "root", program=program, mirror=mirror, log=part / "debootstrap.log")
        _import(client, part / "root")
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _fill(root: Path, *, program: Path, mirror: str, log: Path) -> None:
    """Fill the folder in a mount and process namespace of its own: nothing of it can stay."""
    making = command.Command(
        argv=[
            *("unshare", "--mount", "--pid", "--fork", "--kill-child", program),
            *("--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root, mirror),
        ],
        deadline_s=DEADLINE_S,
        doing=f"Making the base image from Debian {SUITE}",
        remedy="check that apt's mirror is reachable (apt-get update)",
        environment={"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
    )
    command.run(making, log=log)


def _import(client: "docker.DockerClient", root: Path) -> None:
    """Hand the folder to the engine as an archive that is never on disk."""
    left_out = [f"--exclude={each}" for each in LEFT_OUT]
    argv: Sequence[str | Path] = ["tar", "-C", root, *left_out, "--numeric-owner", "-c", "."]
    repository, _, tag = BASE.rpartition(":")
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as packing:
        client.api.import_image_from_stream(
            packing.stdout, repository=repository, tag=tag, changes=[f"LABEL {LABEL}={digest()}"]
        )
    if packing.returncode != 0:
        client.images.remove(BASE)
        raise ProvisionError(f"Packing the base image failed (tar ended with {packing.returncode})")


def _debootstrap(*, progress: Progress) -> Path:
    """Return the program, installing it where that is possible."""
    found = shutil.which("debootstrap")
    if os.geteuid() != 0:
        raise ProvisionError("Only root can make images from packages", remedy=REMEDY)
    if found is None and shutil.which("apt-get") is not None:
        progress("installing debootstrap")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (("update",), ("install", "-y", "--no-install-recommends", "debootstrap")):
            subprocess.run([*APT, *step], env=environment, capture_output=True, check=False)
        found = shutil.which("debootstrap")
    if found is None:
        raise ProvisionError("There is no debootstrap to make images with", remedy=REMEDY)
    return Path(found)


def _mirror() -> str:
    """Return where apt here gets Debian from, by apt's own word."""
    told = ("apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(SUITE)|$(SITE)")
    try:
        done = subprocess.run(told, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ProvisionError(
            f"apt cannot be asked for its mirror: {error}", remedy=REMEDY
        ) from error
    for line in done.stdout.splitlines():
        origin, label, suite, site = line.split("|")
        if (origin, label) == ("Debian", "Debian") and not suite.endswith("-updates"):
            return site
    raise ProvisionError("apt here has no mirror of Debian", remedy=REMEDY)
