"""How a message that is delivered twice takes effect once: the techniques, and their mistakes.

Each technique commits the effects of a batch and yields, after each commit, whose effects they are.
What is different about its unsafe twin is one line, or one switch.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from harness.pipeline.probe import Probe
from harness.pipeline.reference.database import (
    BEGIN,
    Session,
    Statement,
    bigint,
    bigints,
    byteas,
    integer,
    sql,
)
from harness.pipeline.reference.lifetime import Lifetime
from harness.pipeline.reference.locks import LOCKS, Lock, LockTroubleError

NAME = b"settlement"
"""Whose effects these are: the same for every instance and every run of the group."""
_PATIENCE_S = 10.0
_POLL_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One delivered message, as far as effects are concerned."""

    message_id: int
    payload_sha256: bytes
    place: str
    """The partition that it came from."""


class Batch(tuple[Incoming, ...]):
    """What is in hand, in the order of delivery."""

    __slots__ = ()

    @property
    def ids(self) -> list[int]:
        """Return the message ids, repeated ones too."""
        return [each.message_id for each in self]

    def once(self) -> Self:
        """Return each message once: one batch may hold two deliveries of it."""
        return type(self)({each.message_id: each for each in self}.values())

    def without(self, ids: set[int]) -> Self:
        """Return those that are not among `ids`."""
        return type(self)(each for each in self if each.message_id not in ids)

    def by_place(self) -> Iterator[tuple[str, Self]]:
        """Yield the messages of each partition."""
        for place in sorted({each.place for each in self}):
            yield place, type(self)(each for each in self if each.place == place)

    def statement(self, name: str, *more: bytes) -> Statement:
        """Return a statement that is given the consumer, the ids and the hashes, and more."""
        hashes = byteas([each.payload_sha256 for each in self])
        return sql(name), (NAME, bigints(self.ids), hashes, *more)


class Technique:
    """What the techniques share: crash points, a life, and the memory of one process."""

    def __init__(self, probe: Probe, lifetime: Lifetime) -> None:
        self.point = probe.point
        self.lifetime = lifetime
        self.seen: set[int] = set()
        self.ttl_ms = int(os.environ.get("CONSUMER_DEDUP_TTL_MS", "1000"))
        self.fenced = os.environ.get("CONSUMER_FENCING", "token") == "token"
        self.act = TECHNIQUES[os.environ.get("CONSUMER_DEDUP", "unique")]
        service = os.environ.get("CONSUMER_LOCK")
        self.lock: Lock | None = LOCKS[service]() if service else None

    def effects(self, session: Session, batch: Batch) -> Iterator[list[int]]:
        """Commit the effects of a batch; yield, after each commit, whose they are."""
        return self.act(self, session, batch)

    def close(self) -> None:
        """End the connection to a lock service."""
        if self.lock is not None:
            self.lock.close()

    @contextmanager
    def locked(self, resource: str) -> Iterator[int]:
        """Hold a lock for a while; its fencing token. LockTroubleError if it is not to be had."""
        if self.lock is None:
            raise LockTroubleError("CONSUMER_LOCK names no lock service")
        tries = int(_PATIENCE_S / _POLL_S)
        while (token := self.lock.acquire(resource)) is None:
            tries -= 1
            if self.lifetime.over or tries < 0:
                raise LockTroubleError(f"another process holds {resource}")
            self.lifetime.wait(_POLL_S)
        try:
            yield token
        finally:
            self.lock.release(resource)


def unique_key(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Safe: a unique key, written in the transaction of the effect, refuses the second one."""
    yield _in_one_transaction(how, session, BEGIN, batch.statement("effect"))


def nothing(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Unsafe: an effect for each delivery."""
    yield _in_one_transaction(how, session, BEGIN, batch.statement("effect_without_dedup"))


def processed_table(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Safe: look up what was processed, and write effects and processed ids in one transaction."""
    session.exchange(BEGIN)
    fresh = batch.once().without(_found(session, "which_processed", batch))
    remember = (sql("remember"), (NAME, bigints(fresh.ids)))
    yield _in_one_transaction(how, session, remember, fresh.statement("effect_without_dedup"))


def processed_after(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Unsafe: the processed ids in a transaction after the effects; a crash between acts twice."""
    fresh = batch.once().without(_found(session, "which_processed", batch))
    made = _in_one_transaction(how, session, BEGIN, fresh.statement("effect_without_dedup"))
    if fresh:
        how.point("between_transactions")
    session.commit(BEGIN, (sql("remember"), (NAME, bigints(fresh.ids))))
    yield made


def processed_before(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Unsafe: the processed ids in a transaction before the effects; a crash between loses."""
    fresh = batch.once().without(_found(session, "which_processed", batch))
    session.commit(BEGIN, (sql("remember"), (NAME, bigints(fresh.ids))))
    if fresh:
        how.point("between_transactions")
    yield _in_one_transaction(how, session, BEGIN, fresh.statement("effect_without_dedup"))


def in_memory(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Unsafe: the processed ids are known to this life of this process, and to nobody else."""
    fresh = batch.once().without(how.seen)
    made = _in_one_transaction(how, session, BEGIN, fresh.statement("effect_without_dedup"))
    how.seen.update(made)
    yield made


def expiring(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Unsafe: the key is forgotten after a while; what is redelivered later acts twice."""
    forget = (sql("forget"), (bigint(how.ttl_ms),))
    yield _in_one_transaction(how, session, BEGIN, forget, batch.statement("effect_lately"))


def versioned(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Safe: only if its version is still the one that was read does a message take effect."""
    yield from _settle(how, session, batch, statement="effect_versioned")


def unversioned(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Unsafe: the version is read and written, and not compared."""
    yield from _settle(how, session, batch, statement="effect_unversioned")


def _settle(
    how: Technique, session: Session, batch: Batch, *, statement: str
) -> Iterator[list[int]]:
    ids = (bigints(batch.ids),)
    read = session.rows((sql("open_settlements"), ids), (sql("read_versions"), ids))
    versions = {integer(row[0]): integer(row[1]) for row in read}
    fresh = batch.once().without(set(batch.ids) - set(versions))
    if fresh:
        how.point("version_read")
    expected = bigints([versions[each] for each in fresh.ids])
    yield _in_one_transaction(how, session, BEGIN, fresh.statement(statement, expected))


def under_lock(how: Technique, session: Session, batch: Batch) -> Iterator[list[int]]:
    """Look up what is done and act, alone: for as long as the lease of the lock lasts.

    Safe with a fencing token: its holder lets the database refuse earlier ones *before* it looks,
    and asks inside the transaction of the effects whether a later one has come.
    """
    for place, part in batch.once().by_place():
        with how.locked(place) as token:
            fence = (place.encode(), bigint(token))
            if how.fenced:
                _require(session.rows((sql("raise_fence"), fence)), place)
            fresh = part.without(_found(session, "which_done", part, named=False))
            if not fresh:
                continue
            how.point("lock_held")
            session.exchange(BEGIN)
            if how.fenced:
                _require(session.rows((sql("check_fence"), fence)), place)
            made = _in_one_transaction(how, session, fresh.statement("effect_under_lock"))
        yield made


def _require(rows: list[tuple[bytes, ...]], place: str) -> None:
    if not rows:
        raise LockTroubleError(f"a later holder of {place} has come")


def _found(session: Session, name: str, batch: Batch, *, named: bool = True) -> set[int]:
    ids = bigints(batch.ids)
    rows = session.rows((sql(name), (NAME, ids) if named else (ids,)))
    return {integer(row[0]) for row in rows}


def _in_one_transaction(how: Technique, session: Session, *statements: Statement) -> list[int]:
    """Play the rest of a transaction, commit it, and return the ids that the last one returned."""
    made = [integer(row[0]) for row in session.rows(*statements)]
    how.point("in_transaction")
    session.commit()
    return made


TECHNIQUES: Mapping[str, Callable[[Technique, Session, Batch], Iterator[list[int]]]] = {
    "unique": unique_key,
    "none": nothing,
    "processed": processed_table,
    "processed-after": processed_after,
    "processed-before": processed_before,
    "memory": in_memory,
    "expiring": expiring,
    "version": versioned,
    "version-unchecked": unversioned,
    "lock": under_lock,
}
"""CONSUMER_DEDUP: how effects are made once."""
