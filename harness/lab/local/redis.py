"""The Redis server of a local lab: one database, by number, for each run."""

from collections.abc import Mapping
from pathlib import Path

from harness.lab.layout import LOOPBACK, Layout
from harness.lab.links import link_probe
from harness.lab.lock_spaces import REDIS_SETTINGS, RedisSpaces
from harness.lab.process import Command, ServerProcess, plain_environment
from harness.provision.values import Found

SETTINGS: Mapping[str, str] = {
    "bind": LOOPBACK,
    **REDIS_SETTINGS,
    # A title would be written over the environment, by which the warden knows its own.
    "set-proc-title": "no",
}


class LocalRedis(ServerProcess, RedisSpaces):
    """`LockServer` over a local `redis-server`."""

    def __init__(
        self, folder: Path, *, layout: Layout, program: Found, mark: Mapping[str, str]
    ) -> None:
        self.version = program.version
        self.settings: Mapping[str, str] = SETTINGS
        port = layout.lock_service("redis")
        RedisSpaces.__init__(self, port)
        home = folder / "redis"
        home.mkdir()
        self._write(home / "redis.conf", port=port)
        command = Command(
            argv=(str(program.path), str(home / "redis.conf")),
            folder=home,
            log=home / "server.log",
            environment={**plain_environment(), **mark},
            ports=(port,),
        )
        ServerProcess.__init__(
            self, "Redis", command, answers=lambda: link_probe.speaks(port, "redis")
        )

    def _write(self, file: Path, *, port: int) -> None:
        lines = [f"{key} {value}" for key, value in self.settings.items()]
        lines += [f"port {port}", f'dir "{file.parent}"', f"requirepass {self.password}"]
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
