"""The ZooKeeper server of a local lab: one standalone server, a chroot for each run."""

from collections.abc import Mapping
from pathlib import Path

from harness.lab.layout import LOOPBACK, Layout
from harness.lab.links import link_probe
from harness.lab.lock_spaces import (
    ZOOKEEPER_FLAGS,
    ZOOKEEPER_HEAP_MB,
    ZOOKEEPER_MAIN,
    ZOOKEEPER_SETTINGS,
    Chroots,
)
from harness.lab.process import Command, ServerProcess, plain_environment
from harness.provision import jvm
from harness.provision.values import Found

SETTINGS: Mapping[str, str] = {"clientPortAddress": LOOPBACK, **ZOOKEEPER_SETTINGS}


class LocalZooKeeper(ServerProcess, Chroots):
    """`LockServer` over a local ZooKeeper."""

    def __init__(
        self, folder: Path, *, layout: Layout, jars: Found, java: Path, mark: Mapping[str, str]
    ) -> None:
        self.version = jars.version
        self.settings: Mapping[str, str] = SETTINGS
        port = layout.lock_service("zookeeper")
        Chroots.__init__(self, port)
        home = folder / "zookeeper"
        (home / "tmp").mkdir(parents=True)
        settings = {**SETTINGS, "clientPort": str(port), "dataDir": str(home / "data")}
        lines = [f"{key}={value}\n" for key, value in settings.items()]
        (home / "zoo.cfg").write_text("".join(lines), encoding="utf-8")
        class_path = sorted(jars.path.glob("*.jar"))
        command = Command(
            argv=(
                *jvm.arguments(java, class_path, heap_mb=ZOOKEEPER_HEAP_MB),
                # Native libraries are unpacked there, and go with the lab.
                *(f"-Djava.io.tmpdir={home / 'tmp'}", *ZOOKEEPER_FLAGS),
                *(ZOOKEEPER_MAIN, str(home / "zoo.cfg")),
            ),
            folder=home,
            log=home / "server.log",
            environment={**plain_environment(), **mark},
            ports=(port,),
        )
        ServerProcess.__init__(
            self, "ZooKeeper", command, answers=lambda: link_probe.speaks(port, "zookeeper")
        )
