"""The Redis server of a lab: one database, by number, for each run.

Its append-only file makes every answered write outlive a SIGKILL: the page cache stays, and power
failure is no fault of this lab. Without one, a restart would forget locks and fencing tokens.
"""

import itertools
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import LabError
from harness.lab.local import link_probe
from harness.lab.local.layout import Layout
from harness.lab.local.node import plain_environment
from harness.lab.local.process import Command, ServerProcess
from harness.provision.values import Found

if TYPE_CHECKING:
    from redis import Redis

CALL_S = 2.0
DATABASES = 16
SETTINGS: Mapping[str, str] = {
    "bind": "127.0.0.1",
    "protected-mode": "yes",
    "databases": str(DATABASES),
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "no",
    "auto-aof-rewrite-percentage": "0",
    "tcp-keepalive": "1",
    # A title would be written over the environment, by which the warden knows its own.
    "set-proc-title": "no",
}


class LocalRedis(ServerProcess):
    """`LockServer` over a local `redis-server`."""

    def __init__(
        self, folder: Path, *, layout: Layout, program: Found, mark: Mapping[str, str]
    ) -> None:
        self.version = program.version
        self.settings = dict(SETTINGS)
        self._port = layout.lock_service("redis")
        # Any process of this machine reaches a loopback port, and Redis writes files.
        self._password = secrets.token_hex(8)
        self._numbers = itertools.cycle(range(1, DATABASES))
        self._spaces: dict[str, int] = {}
        home = folder / "redis"
        home.mkdir()
        self._write(home / "redis.conf")
        command = Command(
            argv=(str(program.path), str(home / "redis.conf")),
            folder=home,
            log=home / "server.log",
            environment={**plain_environment(), **mark},
            ports=(self._port,),
        )
        super().__init__("Redis", command, answers=self._answers)

    def create(self, space: str) -> None:
        """Make an empty database for one run; its number was another run's long ago."""
        self._spaces[space] = next(self._numbers)
        self._empty(self._spaces[space])

    def drop(self, space: str) -> None:
        """Empty a run's database; no error for a run that has none."""
        number = self._spaces.pop(space, None)
        if number is not None:
            self._empty(number)

    def address(self, space: str, *, port: int) -> str:
        """Return the URL of a run's database through a port of 127.0.0.1."""
        return f"redis://:{self._password}@127.0.0.1:{port}/{self._spaces[space]}"

    def direct(self) -> str:
        """Return the address that is never cut."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def _write(self, file: Path) -> None:
        lines = [f"{key} {value}" for key, value in self.settings.items()]
        lines += [f"port {self._port}", f'dir "{file.parent}"', f"requirepass {self._password}"]
        file.touch(mode=0o600)
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _empty(self, number: int) -> None:
        self._ask(number, lambda server: server.flushdb())

    def _ask(self, number: int, what: "Callable[[Redis], object]") -> None:
        import redis  # noqa: PLC0415  # 0.1 s that only labs with a Redis pay

        try:
            with redis.Redis(
                port=self._port,
                db=number,
                password=self._password,
                socket_timeout=CALL_S,
                socket_connect_timeout=CALL_S,
            ) as server:
                what(server)
        except redis.RedisError as error:
            raise LabError(f"Redis did not do what it was asked: {error}") from error

    def _answers(self) -> bool:
        return link_probe.speaks(self._port, "redis")
