"""The ZooKeeper server of a lab: one standalone server, a chroot for each run.

Nothing is flushed to disk (`forceSync`): a SIGKILL keeps the page cache, and power failure is no
fault of this lab.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

from harness.errors import LabError
from harness.lab.local import link_probe
from harness.lab.local.layout import Layout
from harness.lab.local.node import plain_environment
from harness.lab.local.process import Command, ServerProcess
from harness.provision import jvm
from harness.provision.values import Found

CALL_S = 5.0
HEAP_MB = 64
SETTINGS: Mapping[str, str] = {
    "clientPortAddress": "127.0.0.1",
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "isro",
    # Sessions of half a second to a minute, whatever a client asks for in between.
    "tickTime": "100",
    "minSessionTimeout": "500",
    "maxSessionTimeout": "60000",
    "maxClientCnxns": "0",
}
_FLAGS = (
    "-Dzookeeper.forceSync=no",
    "-Dzookeeper.preAllocSize=1024",
    "-Dzookeeper.jmx.log4j.disable=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
_LOGGER = logging.getLogger(__name__)
_LOGGER.addHandler(logging.NullHandler())  # what goes wrong is in the error that is raised
_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"


class LocalZooKeeper(ServerProcess):
    """`LockServer` over a local ZooKeeper."""

    def __init__(
        self, folder: Path, *, layout: Layout, jars: Found, java: Path, mark: Mapping[str, str]
    ) -> None:
        self.version = jars.version
        self.settings = dict(SETTINGS)
        self._port = layout.lock_service("zookeeper")
        home = folder / "zookeeper"
        (home / "tmp").mkdir(parents=True)
        settings = {**SETTINGS, "clientPort": str(self._port), "dataDir": str(home / "data")}
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        (home / "zoo.cfg").write_text("".join(lines), encoding="utf-8")
        class_path = sorted(jars.path.glob("*.jar"))
        command = Command(
            argv=(
                *jvm.arguments(java, class_path, heap_mb=HEAP_MB),
                # Native libraries are unpacked there, and go with the lab.
                *(f"-Djava.io.tmpdir={home / 'tmp'}", *_FLAGS, _MAIN, str(home / "zoo.cfg")),
            ),
            folder=home,
            log=home / "server.log",
            environment={**plain_environment(), **mark},
            ports=(self._port,),
        )
        super().__init__("ZooKeeper", command, answers=self._answers)

    def create(self, space: str) -> None:
        """Make an empty chroot for one run."""
        self._ask("ensure_path", space)

    def drop(self, space: str) -> None:
        """Remove a run's chroot; no error if there is none."""
        self._ask("delete", space, recursive=True)

    def address(self, space: str, *, port: int) -> str:
        """Return the connect string of a run's chroot through a port of 127.0.0.1."""
        return f"127.0.0.1:{port}/{space}"

    def direct(self) -> str:
        """Return the address that is never cut."""
        return f"127.0.0.1:{self._port}"

    def _ask(self, what: str, space: str, **options: bool) -> None:
        from kazoo.client import KazooClient  # noqa: PLC0415  # only labs with a ZooKeeper pay
        from kazoo.exceptions import KazooException, NoNodeError  # noqa: PLC0415
        from kazoo.handlers.threading import KazooTimeoutError  # noqa: PLC0415

        client = KazooClient(hosts=self.direct(), timeout=CALL_S, logger=_LOGGER)
        try:
            client.start(timeout=CALL_S)
            getattr(client, what)(f"/{space}", **options)
        except NoNodeError:
            return
        except (KazooException, KazooTimeoutError) as error:
            raise LabError(f"ZooKeeper did not {what} /{space}: {error!r}") from error
        finally:
            client.stop()
            client.close()

    def _answers(self) -> bool:
        return link_probe.speaks(self._port, "zookeeper")
