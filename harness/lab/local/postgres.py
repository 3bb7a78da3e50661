"""The PostgreSQL server of a lab: one process family, one database per run."""

import signal
from collections.abc import Mapping
from pathlib import Path

from harness.lab.databases import SETTINGS, Databases
from harness.lab.keeping import warden
from harness.lab.layout import LOOPBACK, Layout
from harness.lab.local.postgres_template import populate
from harness.lab.local.recipe import Recipe
from harness.lab.process import Command, ServerProcess, plain_environment

LOOPBACK_SETTINGS: Mapping[str, str] = {"listen_addresses": LOOPBACK, **SETTINGS}


class LocalPostgres(ServerProcess, Databases):
    """`DatabaseServer` over a local `postgres`."""

    def __init__(
        self, folder: Path, *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
    ) -> None:
        self.data = folder / warden.DATABASE_FOLDER
        self._recipe = recipe
        self._mark = mark
        Databases.__init__(self, {}, port=layout.postgres)
        command = Command(
            argv=(
                str(recipe.postgres_bin / "postgres"),
                *("-D", str(self.data), "-p", str(layout.postgres)),
                *(
                    word
                    for key, value in LOOPBACK_SETTINGS.items()
                    for word in ("-c", f"{key}={value}")
                ),
            ),
            folder=folder / "postgres",
            log=folder / "postgres" / "server.log",
            environment={**plain_environment(), **mark},
            ports=(layout.postgres,),
            user=recipe.postgres_user,
            ends_by=signal.SIGINT,  # a fast shutdown: SIGTERM would wait for every session
        )
        ServerProcess.__init__(self, "the database", command, answers=self.accept_queries)

    def prepare(self) -> None:
        """Make the data folder, a copy of this user's template."""
        self.accounts = populate(self.data, recipe=self._recipe, mark=self._mark)

    def kill(self) -> None:
        """SIGKILL the whole family; give back the shared memory that it cannot any more."""
        super().kill()
        warden.remove_shared_memory(self.data)
