"""The PostgreSQL server of a lab of containers: one database per run."""

import signal
from typing import TYPE_CHECKING

from harness.lab.databases import Account, Databases
from harness.lab.docker.container import Conduct, ContainerProcess
from harness.lab.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable

    from docker.models.containers import Container


class DockerPostgres(ContainerProcess, Databases):
    """`DatabaseServer` over a container."""

    def __init__(
        self,
        accounts: dict[str, Account],
        *,
        layout: Layout,
        make: "Callable[[], Container] | Container",
    ) -> None:
        Databases.__init__(self, accounts, port=layout.postgres)
        conduct = Conduct(
            ports=(layout.postgres,),
            answers=self.accept_queries,
            ends_by=signal.SIGINT,  # a fast shutdown: SIGTERM would wait for every session
        )
        ContainerProcess.__init__(self, "the database", conduct, make=make)
