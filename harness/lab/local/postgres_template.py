"""Makes the data folder of a database server: `initdb` once for each user and version, then copies.

The accounts' passwords are drawn when the template is made: any process of this machine reaches a
loopback port, and a superuser of PostgreSQL runs commands.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.errors import LabError
from harness.lab.databases import (
    APP,
    SUPERUSER,
    Account,
    draw_accounts,
    load_accounts,
    save_accounts,
)
from harness.lab.local.recipe import Recipe
from harness.lab.process import plain_environment
from harness.provision import cache

INITDB_S = 60.0
_FORMAT = 3
"""Part of the template's name: count up when what is written here changes."""


def populate(data: Path, *, recipe: Recipe, mark: Mapping[str, str]) -> Mapping[str, Account]:
    """Make `data` a fresh data folder of the right owner; return its accounts by name."""
    version = recipe.postgres_version.replace(" ", "-")
    data.parent.mkdir(mode=0o711, exist_ok=True)
    data.parent.chmod(0o711)  # whatever the umask is
    home = data.with_name("initdb")  # a kill in the middle leaves it to the warden
    template = cache.entry(
        f"postgres-data-{version}-{_FORMAT}",
        lambda part: _make_template(part, home=home, recipe=recipe, mark=mark),
    )
    _copy(template / "data", data, mark=mark)
    return load_accounts(template / "accounts.json")


def _make_template(part: Path, *, home: Path, recipe: Recipe, mark: Mapping[str, str]) -> None:
    """Run initdb in `home`, where its account may write, then keep the result in the cache."""
    accounts = draw_accounts()
    home.mkdir(mode=0o700)
    (home / "password").write_text(accounts[SUPERUSER].password, encoding="ascii")
    _hand_over(home, user=recipe.postgres_user)
    data = home / "data"
    initdb = (
        str(recipe.postgres_bin / "initdb"),
        *("--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"),
        *("--auth=scram-sha-256", f"--username={SUPERUSER}"),
        f"--pwfile={home / 'password'}",
        f"--pgdata={data}",
    )
    single = (str(recipe.postgres_bin / "postgres"), "--single", "-D", str(data), "postgres")
    create = f"CREATE ROLE {APP} LOGIN PASSWORD '{accounts[APP].password}'\n"
    _run(initdb, recipe=recipe, mark=mark)
    _run(single, recipe=recipe, mark=mark, text=create)
    _copy(data, part / "data", mark=mark)
    shutil.rmtree(home)
    save_accounts(accounts, part / "accounts.json")


def _copy(source: Path, target: Path, *, mark: Mapping[str, str]) -> None:
    """Copy a folder with its owners: a thousand files, five times as fast as file by file here."""
    done = subprocess.run(
        ("cp", "-a", str(source), str(target)),
        capture_output=True,
        check=False,
        timeout=INITDB_S,
        env={**plain_environment(), **mark},
    )
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip()
        raise LabError(
            f"The database folder could not be copied to {target}: {said}",
            remedy="free some space, or point TMPDIR at a folder with room",
        )


def _run(argv: tuple[str, ...], *, recipe: Recipe, mark: Mapping[str, str], text: str = "") -> None:
    try:
        done = subprocess.run(
            argv,
            input=text.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",
            env={**plain_environment(), **mark},
            timeout=INITDB_S,
            check=False,
            user=recipe.postgres_user,
            extra_groups=None if recipe.postgres_user is None else [],
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{Path(argv[0]).name} could not be run: {error}") from error
    said = done.stdout.decode(errors="replace").strip()
    if done.returncode != 0 or "ERROR" in said:
        raise LabError(f"{Path(argv[0]).name} failed ({done.returncode}) and said:\n{said[-2000:]}")


def _hand_over(folder: Path, *, user: str | None) -> None:
    if user is None:
        return
    entry = pwd.getpwnam(user)
    for path in (folder, *folder.rglob("*")):
        os.lchown(path, entry.pw_uid, entry.pw_gid)
