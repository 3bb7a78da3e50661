"""Makes the data of a database image once: servers of later labs unpack it instead of `initdb`.

It is taken out of a container of that image as the archive that the engine makes of it, and kept by
the image's id, in the user's cache, with the passwords of its accounts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import ProvisionError
from harness.lab.databases import Account, draw_accounts, load_accounts, save_accounts
from harness.lab.docker import once
from harness.lab.docker.engine import told
from harness.lab.docker.servers import POSTGRES_DATA, POSTGRES_MAKE, database_environment
from harness.provision import cache
from harness.provision.values import Progress

INITDB_S = 60
_FORMAT = 1
"""Part of its name: count up when what is made here changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The data folder of a new server."""

    archive: Path
    accounts: Mapping[str, Account]


def provide(image: str, *, identity: str, lab: str, progress: Progress) -> Template:
    """Return the template of an image, making it at the first call; ProvisionError if it fails."""
    found = cache.entry(
        f"postgres-image-data-{once.short(identity)}-{_FORMAT}",
        lambda part: _make(part, image=image, lab=lab),
        progress=progress,
    )
    accounts = load_accounts(found / "accounts.json")
    return Template(archive=found / "data.tar", accounts=accounts)


def _make(part: Path, *, image: str, lab: str) -> None:
    accounts = draw_accounts()
    environment = database_environment(accounts)
    with (
        told("make the data of a database"),
        once.database(image, POSTGRES_MAKE, environment=environment, lab=lab) as container,
    ):
        status = container.wait(timeout=INITDB_S)["StatusCode"]
        if status != 0:
            said = container.logs(tail=20).decode(errors="replace")
            raise ProvisionError(f"initdb failed ({status}) in a container of {image}:\n{said}")
        pieces, _ = container.get_archive(POSTGRES_DATA)
        with (part / "data.tar").open("wb") as archive:
            archive.writelines(pieces)
    # The server's account is another one inside; what it finds are hashes of drawn passwords.
    (part / "data.tar").chmod(0o644)
    save_accounts(accounts, part / "accounts.json")
