"""Distributed locks on Redis and on ZooKeeper: a lease that ends by itself, and a fencing token.

A lease that has ended is nothing that its holder would notice. The token is how whoever is written
to can tell: it grows with every acquisition, so a late holder has the smaller one.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

LEASE_MS = 1500
CALL_S = 1.0


class LockTroubleError(Exception):
    """The lock service did not answer in time, or the lock is lost."""


class Lock(Protocol):
    """Locks of one process, by resource."""

    def acquire(self, resource: str) -> int | None:
        """Try once: return the fencing token, None while another process holds it."""
        ...

    def release(self, resource: str) -> None:
        """Let go of it if it is still ours; whatever fails here, the lease ends by itself."""
        ...

    def close(self) -> None:
        """End the connection; leases of this process end by themselves."""
        ...


# The token is drawn where the lock is taken: a pause between the two would make an old holder new.
_ACQUIRE = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
    return redis.call('INCR', KEYS[2])
end
return false
"""
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


class RedisLock:
    """`SET NX PX`, released by a script that compares the owner."""

    def __init__(self) -> None:
        import redis  # noqa: PLC0415  # only a consumer that locks pays for it
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        self._error = redis.RedisError
        self._owner = secrets.token_hex(8)
        self._client = redis.Redis.from_url(
            os.environ["REDIS_URL"],
            socket_timeout=CALL_S,
            socket_connect_timeout=CALL_S,
            retry=Retry(NoBackoff(), 0),  # a second SET NX could not know its first one
        )
        self._acquire = self._client.register_script(_ACQUIRE)
        self._release = self._client.register_script(_RELEASE)

    def acquire(self, resource: str) -> int | None:
        """Try once: return the fencing token, None while another process holds it."""
        try:
            token = self._acquire(
                keys=[f"lock:{resource}", f"fence:{resource}"], args=[self._owner, lease_ms()]
            )
        except self._error as error:
            raise LockTroubleError(f"Redis: {error}") from error
        return None if token is None else int(token)

    def release(self, resource: str) -> None:
        """Let go of it if it is still ours; whatever fails here, the lease ends by itself."""
        try:
            self._release(keys=[f"lock:{resource}"], args=[self._owner])
        except self._error:
            return

    def close(self) -> None:
        """End the connection."""
        self._client.close()


class ZooKeeperLock:
    """An ephemeral node, gone with its session; the transaction that made it is the token."""

    def __init__(self) -> None:
        from kazoo.client import KazooClient  # noqa: PLC0415  # only a consumer that locks pays
        from kazoo.exceptions import KazooException, NodeExistsError  # noqa: PLC0415
        from kazoo.handlers.threading import KazooTimeoutError  # noqa: PLC0415
        from kazoo.retry import ForceRetryError, KazooRetry  # noqa: PLC0415

        self._late, self._again = KazooTimeoutError, ForceRetryError
        # Longer than the session lasts without a connection: then its nodes are gone in any case.
        self._insist = KazooRetry(
            max_tries=-1, delay=0.05, max_delay=0.2, deadline=2 * lease_ms() / 1000
        )
        self._errors = (KazooException, KazooTimeoutError)
        self._taken = NodeExistsError
        self._client = KazooClient(
            hosts=os.environ["ZOOKEEPER_CONNECT"],
            timeout=lease_ms() / 1000,
            connection_retry={"max_tries": -1, "delay": 0.05, "max_delay": 0.5},
        )
        self._client.start_async()

    def acquire(self, resource: str) -> int | None:
        """Try once: return the fencing token, None while another process holds it."""
        try:
            return self._create(f"/locks/{resource}")
        except self._errors as error:
            raise LockTroubleError(f"ZooKeeper: {error!r}") from error

    def release(self, resource: str) -> None:
        """Let go of it if it is still ours: again and again, for a session that lives keeps it."""
        try:
            self._insist(self._delete, f"/locks/{resource}")
        except self._errors:
            return

    def close(self) -> None:
        """End the session, and every lock with it."""
        try:
            self._client.stop()
            self._client.close()
        except self._errors:
            return  # out of reach: the session ends by itself

    def _create(self, path: str) -> int | None:
        creating = self._client.create_async(
            path, b"", ephemeral=True, makepath=True, include_data=True
        )
        try:
            _, stat = creating.get(timeout=CALL_S)
        except self._taken:
            return self._ours(path)  # by a call of which nobody heard how it ended
        return int(stat.czxid)

    def _delete(self, path: str) -> None:
        try:
            if self._ours(path) is not None:
                self._client.delete_async(path).get(timeout=CALL_S)
        except self._late as error:
            raise self._again from error

    def _ours(self, path: str) -> int | None:
        stat = self._client.exists_async(path).get(timeout=CALL_S)
        session = self._client.client_id
        if stat is None or session is None or stat.ephemeralOwner != session[0]:
            return None
        return int(stat.czxid)


LOCKS: Mapping[str, Callable[[], Lock]] = {"redis": RedisLock, "zookeeper": ZooKeeperLock}
"""CONSUMER_LOCK: which lock service."""


def lease_ms() -> int:
    """Return how long a lock lasts without a word of its holder."""
    return int(os.environ.get("CONSUMER_LEASE_MS", LEASE_MS))
