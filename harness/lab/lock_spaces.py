"""What the harness asks of a lock service, wherever it runs: an empty space for each run.

Redis: a database by number. ZooKeeper: a chroot. Both keep what they answered over a SIGKILL.
"""

import itertools
import logging
import secrets
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.errors import LabError

if TYPE_CHECKING:
    from redis import Redis

REDIS_CALL_S = 2.0
DATABASES = 16
REDIS_SETTINGS: Mapping[str, str] = {
    "protected-mode": "yes",
    "databases": str(DATABASES),
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "no",
    "auto-aof-rewrite-percentage": "0",
    "tcp-keepalive": "1",
}
"""Settings in force besides the address.

The append-only file makes every answered write outlive a SIGKILL: the page cache stays, and power
failure is no fault of a lab. Without one, a restart would forget locks and fencing tokens.
"""
ZOOKEEPER_CALL_S = 5.0
ZOOKEEPER_HEAP_MB = 64
ZOOKEEPER_SETTINGS: Mapping[str, str] = {
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "isro",
    # Sessions of half a second to a minute, whatever a client asks for in between.
    "tickTime": "100",
    "minSessionTimeout": "500",
    "maxSessionTimeout": "60000",
    "maxClientCnxns": "0",
}
ZOOKEEPER_FLAGS = (
    "-Dzookeeper.forceSync=no",
    "-Dzookeeper.preAllocSize=1024",
    "-Dzookeeper.jmx.log4j.disable=true",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
)
"""Nothing is flushed to disk (`forceSync`), for the same reason."""
ZOOKEEPER_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
_LOGGER = logging.getLogger(__name__)
_LOGGER.addHandler(logging.NullHandler())  # what goes wrong is in the error that is raised


class RedisSpaces:
    """The databases of one Redis server, reached at a port of 127.0.0.1."""

    def __init__(self, port: int, *, password: str | None = None) -> None:
        self._port = port
        # Any process of this machine reaches a loopback port, and Redis writes files.
        self.password = password or secrets.token_hex(8)
        self._numbers = itertools.cycle(range(1, DATABASES))
        self._spaces: dict[str, int] = {}

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
        return f"redis://:{self.password}@127.0.0.1:{port}/{self._spaces[space]}"

    def direct(self) -> str:
        """Return the address that is never cut."""
        return f"redis://:{self.password}@127.0.0.1:{self._port}/0"

    def _empty(self, number: int) -> None:
        self._ask(number, lambda server: server.flushdb())

    def _ask(self, number: int, what: "Callable[[Redis], object]") -> None:
        import redis  # noqa: PLC0415  # 0.1 s that only labs with a Redis pay

        try:
            with redis.Redis(
                port=self._port,
                db=number,
                password=self.password,
                socket_timeout=REDIS_CALL_S,
                socket_connect_timeout=REDIS_CALL_S,
            ) as server:
                what(server)
        except redis.RedisError as error:
            raise LabError(f"Redis did not do what it was asked: {error}") from error


class Chroots:
    """The chroots of one ZooKeeper server, reached at a port of 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._port = port

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

        client = KazooClient(hosts=self.direct(), timeout=ZOOKEEPER_CALL_S, logger=_LOGGER)
        try:
            client.start(timeout=ZOOKEEPER_CALL_S)
            getattr(client, what)(f"/{space}", **options)
        except NoNodeError:
            return
        except (KazooException, KazooTimeoutError) as error:
            raise LabError(f"ZooKeeper did not {what} /{space}: {error!r}") from error
        finally:
            client.stop()
            client.close()
