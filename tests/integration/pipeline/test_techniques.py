"""The techniques of idempotency against a real PostgreSQL, a real Redis and a real ZooKeeper."""

import os
import secrets
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from kazoo.client import KazooClient

from harness.clock import sleep, wait_until
from harness.lab.keeping import folders, ports, warden
from harness.lab.layout import PORTS, Layout
from harness.lab.local.lock_services import LocalLockServices
from harness.lab.local.recipe import recipe_of
from harness.pipeline.probe import Probe
from harness.pipeline.reference.database import Session
from harness.pipeline.reference.idempotency import Batch, Incoming, Technique
from harness.pipeline.reference.locks import LockTroubleError, RedisLock, ZooKeeperLock
from harness.provision.parts import provide
from harness.schedule.targets import LockServiceName

BATCH = Batch(
    Incoming(message_id=number, payload_sha256=bytes(32), place=f"orders-{number % 2}")
    for number in (1, 2, 2, 3)
)
LEASE_MS = 600
SAFE = {
    "unique": {"CONSUMER_DEDUP": "unique"},
    "processed": {"CONSUMER_DEDUP": "processed"},
    "version": {"CONSUMER_DEDUP": "version"},
    "lock-redis": {"CONSUMER_DEDUP": "lock", "CONSUMER_LOCK": "redis"},
    "lock-zookeeper": {"CONSUMER_DEDUP": "lock", "CONSUMER_LOCK": "zookeeper"},
}
UNSAFE = {
    "version": {"CONSUMER_DEDUP": "version-unchecked"},
    "lock-redis": SAFE["lock-redis"] | {"CONSUMER_FENCING": "none"},
    "lock-zookeeper": SAFE["lock-zookeeper"] | {"CONSUMER_FENCING": "none"},
}
ADDRESSES: dict[LockServiceName, str] = {"redis": "REDIS_URL", "zookeeper": "ZOOKEEPER_CONNECT"}
Make = Callable[..., "Consumer"]


class Consumer:
    """A technique with a session, as a consumer process has them."""

    def __init__(self, database: str) -> None:
        life: Any = SimpleNamespace(over=False, wait=sleep)
        self.technique = Technique(Probe(journal=None, counters=None), life)
        self.session = Session.connect(database)

    def take_effect(self) -> list[int]:
        """Let the batch take effect; return whose effects were made, in order of id."""
        return sorted(
            number for made in self.technique.effects(self.session, BATCH) for number in made
        )

    def sleeping_at(self, point: str, meanwhile: Callable[[], object]) -> None:
        """Let something happen while it passes a point for the first time."""
        happened: list[object] = []

        def pass_it(name: str) -> None:
            if name == point and not happened:
                happened.append(meanwhile())

        self.technique.point = pass_it

    def lose_its_locks(self) -> None:
        """Wait for the end of a lease, or end the session in its place."""
        lock = self.technique.lock
        if isinstance(lock, ZooKeeperLock):
            end_session(lock)

    def close(self) -> None:
        """Hang up."""
        self.technique.close()
        self.session.close()


def end_session(lock: ZooKeeperLock) -> None:
    """Take a session over and close it: the server tells its owner that it has expired."""
    client = lock._client  # noqa: SLF001  # what a partition does to it
    wait_until(lambda: client.client_id, deadline_s=10, describe="a session")
    thief = KazooClient(hosts=os.environ["ZOOKEEPER_CONNECT"], client_id=client.client_id)
    thief.start(timeout=10)
    thief.stop()
    thief.close()


@pytest.fixture(scope="module")
def services() -> Iterator[LocalLockServices]:
    """Return lock services without a lab around them."""
    base, claim = ports.claim_block(PORTS)
    folder = folders.root() / f"test-{secrets.token_hex(4)}"
    folders.make(folder)
    services = LocalLockServices(
        folder,
        layout=Layout(base=base),
        recipe=recipe_of(provide()),
        mark={warden.MARKER: folder.name},
    )
    yield services
    warden.clear(folder, name=folder.name)
    for server in services.all():
        server.reap()
    claim.release()


@pytest.fixture
def make(
    services: LocalLockServices, database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    """Return a function that makes consumers; they have a space in each lock service."""
    made: list[Consumer] = []
    for name, variable in ADDRESSES.items():
        server = services.get(name)
        server.create(database.rpartition("/")[2])
        port = int(server.direct().rpartition(":")[2].split("/")[0])
        monkeypatch.setenv(variable, server.address(database.rpartition("/")[2], port=port))
    monkeypatch.setenv("CONSUMER_LEASE_MS", str(LEASE_MS))

    def consumer(**environment: str) -> Consumer:
        for name in ("CONSUMER_DEDUP", "CONSUMER_LOCK", "CONSUMER_FENCING"):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        made.append(Consumer(database))
        return made[-1]

    yield consumer
    for each in made:
        each.close()


def overtaken(make: Make, technique: str, environment: dict[str, str]) -> Consumer:
    """Return a consumer that will sleep in its work, and find that another one has done it."""
    sleeper, other = make(**environment), make(**environment)

    def meanwhile() -> None:
        sleeper.lose_its_locks()
        other.take_effect()

    sleeper.sleeping_at("version_read" if technique == "version" else "lock_held", meanwhile)
    return sleeper


def effects(database: str) -> list[int]:
    """Return the id of every effect there is."""
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT message_id FROM effects ORDER BY message_id")
        return [number for (number,) in rows]


@pytest.mark.parametrize("environment", SAFE.values(), ids=SAFE)
def test_what_is_delivered_twice_takes_effect_once(
    make: Make, database: str, environment: dict[str, str]
) -> None:
    """Twice in one batch, and twice to two processes."""
    assert make(**environment).take_effect() == [1, 2, 3]
    assert make(**environment).take_effect() == []
    assert effects(database) == [1, 2, 3]


@pytest.mark.parametrize("technique", UNSAFE)
def test_a_sleeper_that_is_overtaken_acts_no_more(
    make: Make, database: str, technique: str
) -> None:
    """Another process does its work; what it then does itself is refused."""
    sleeper = overtaken(make, technique, SAFE[technique])
    if technique == "version":
        assert sleeper.take_effect() == []
    else:
        with pytest.raises(LockTroubleError, match="a later holder of orders-0 has come"):
            sleeper.take_effect()
    assert effects(database) == [1, 2, 3]


@pytest.mark.parametrize("technique", UNSAFE)
def test_without_the_check_the_sleeper_acts_a_second_time(
    make: Make, database: str, technique: str
) -> None:
    """The same, with nothing that would refuse it: what it has read is done twice."""
    sleeper = overtaken(make, technique, UNSAFE[technique])
    sleeper.take_effect()
    assert effects(database) == ([1, 1, 2, 2, 3, 3] if technique == "version" else [1, 2, 2, 3])


@pytest.mark.parametrize(
    ("dedup", "point", "left"),
    [
        ("processed-after", "between_transactions", [1, 1, 2, 2, 3, 3]),
        ("processed-before", "between_transactions", []),
        ("memory", "after commit", [1, 1, 2, 2, 3, 3]),
    ],
)
def test_a_crash_in_the_gap_doubles_or_loses(
    make: Make, database: str, dedup: str, point: str, left: list[int]
) -> None:
    """The batch is delivered again, to another process."""
    crashing = make(CONSUMER_DEDUP=dedup)

    def crash() -> None:
        raise SystemExit

    crashing.sleeping_at(point, crash)
    try:
        crashing.take_effect()
    except SystemExit:
        assert point == "between_transactions"
    make(CONSUMER_DEDUP=dedup).take_effect()
    assert effects(database) == left


def test_an_expired_key_lets_a_message_take_effect_again(
    make: Make, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once it is absorbed; once it is forgotten it is not."""
    monkeypatch.setenv("CONSUMER_DEDUP_TTL_MS", "60000")
    patient = make(CONSUMER_DEDUP="expiring")
    assert patient.take_effect() == [1, 2, 3]
    assert patient.take_effect() == []
    monkeypatch.setenv("CONSUMER_DEDUP_TTL_MS", "0")
    assert make(CONSUMER_DEDUP="expiring").take_effect() == [1, 2, 3]
    assert effects(database) == [1, 1, 2, 2, 3, 3]


@pytest.mark.usefixtures("make")
@pytest.mark.parametrize("kind", [RedisLock, ZooKeeperLock], ids=["redis", "zookeeper"])
def test_a_lock_has_one_holder_and_a_growing_token(
    kind: type[RedisLock | ZooKeeperLock],
) -> None:
    """Nobody else gets it while it is held; each acquisition has a greater token than the last."""
    one, other = kind(), kind()
    try:
        first = one.acquire("it")
        assert first is not None
        assert other.acquire("it") is None
        assert other.acquire("another") is not None
        one.release("it")
        second = other.acquire("it")
        assert second is not None
        assert second > first
        one.release("it")  # not its own any more
        assert one.acquire("it") is None
    finally:
        one.close()
        other.close()


@pytest.mark.usefixtures("make")
@pytest.mark.parametrize("kind", [RedisLock, ZooKeeperLock], ids=["redis", "zookeeper"])
def test_a_lock_of_a_holder_that_is_gone_ends_by_itself(
    kind: type[RedisLock | ZooKeeperLock],
) -> None:
    """By the end of its lease, or of its session; the next token is greater all the same."""
    one, other = kind(), kind()
    try:
        first = one.acquire("it")
        assert first is not None
        if isinstance(one, ZooKeeperLock):
            end_session(one)
        second = wait_until(lambda: other.acquire("it"), deadline_s=10, describe="the lease's end")
        assert second > first
    finally:
        one.close()
        other.close()
