"""Takes effect: the effects of a batch, once for each message, then the offset commit.

A batch is done when its effects are committed; until then it is tried again, so nothing is skipped.
A failed offset commit only means redelivery, which the technique of `idempotency.py` absorbs.
"""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import cast

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from harness.pipeline.probe import Probe
from harness.pipeline.reference.database import DatabaseTroubleError, Session
from harness.pipeline.reference.idempotency import Batch, Incoming, Technique
from harness.pipeline.reference.lifetime import Lifetime
from harness.pipeline.reference.locks import LockTroubleError
from harness.pipeline.reference.settings import consumer_settings

BATCH = 200
PACE_S = 0.05
"""From one batch to the next while less than a full one waits: each costs an offset commit, which
the brokers replicate like a message."""


class Effects:
    """One consumer process: a group member, a session, and the batch in its hands."""

    def __init__(self, probe: Probe, lifetime: Lifetime) -> None:
        given = os.environ.get
        self.probe = probe
        self.lifetime = lifetime
        self.batch = int(given("CONSUMER_BATCH", BATCH))
        self.work_s = int(given("CONSUMER_WORK_MS", "0")) / 1000
        self.handle = COMMITTING[given("CONSUMER_COMMIT", "after")]
        self.technique = Technique(probe, lifetime)
        self.assigned: set[tuple[str, int]] = set()
        self.session: Session | None = None
        self.consumer = self.connect()

    def connect(self) -> Consumer:
        """Return the client that delivers."""
        return Consumer(consumer_settings())

    def run(self) -> None:
        """Consume until the life is over, then leave the group."""
        self.lifetime.wait(float(os.environ.get("CONSUMER_START_S", "0")))
        self.consumer.subscribe(
            [os.environ["TOPIC_ORDERS"]],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )
        while not self.lifetime.over:
            messages = self.poll()
            if messages:
                began_s = time.monotonic()
                self.handle(self, messages)
                if len(messages) < self.batch:
                    self.lifetime.wait_until(began_s + PACE_S)
        self.leave()

    def leave(self) -> None:
        """Leave the group, and close what is open."""
        self.consumer.close()
        self.technique.close()
        if self.session is not None:
            self.session.close()

    def poll(self) -> list[Message]:
        """Wait for one message and take with it what else has been fetched already.

        A fatal error of the client ends the process: a new one starts from the committed offsets.
        """
        first = self.consumer.poll(0.2)
        if first is None:
            return []
        polled = [first, *self.consumer.consume(self.batch - 1, 0)]
        for trouble in filter(None, (message.error() for message in polled)):
            self.probe.journal("error", error=trouble.str())
            if trouble.fatal():
                raise KafkaException(trouble)
        messages = [message for message in polled if message.error() is None]
        if messages:
            self.journal_places("delivered", messages)
            self.probe.point("after_poll")
        return messages

    def journal_places(self, event: str, messages: list[Message]) -> None:
        """Journal messages with where they stand."""
        self.probe.journal(
            event,
            ids=[id_of(message) for message in messages],
            topic=messages[0].topic(),
            partitions=[message.partition() for message in messages],
            offsets=[message.offset() for message in messages],
        )

    def take_effect(self, messages: list[Message], *, once: bool = False) -> bool:
        """Commit the effects of a batch, however often that has to be tried, or try it once.

        False: it did not succeed; nothing of the batch may be called done.
        """
        self.lifetime.wait(self.work_s)
        while True:
            try:
                self._attempt(messages)
            except (DatabaseTroubleError, LockTroubleError) as error:
                self._give_session_up(error)
            else:
                self.lifetime.succeeded()
                return True
            if once or self.lifetime.over:
                return False

    def _attempt(self, messages: list[Message]) -> None:
        if self.session is None:
            self.session = Session.connect()
        batch = Batch(incoming(message) for message in messages)
        absorbed = Counter(batch.ids)
        for fresh in self.technique.effects(self.session, batch):
            self.probe.count("processed", len(fresh))
            if fresh:
                self.probe.journal("effect", ids=fresh)
            absorbed -= Counter(fresh)
        if absorbed:
            self.probe.journal("absorbed", ids=list(absorbed.elements()))

    def _give_session_up(self, error: Exception) -> None:
        self.probe.journal("error", error=str(error))
        if self.session is not None:
            self.session.close()
        self.session = None
        self.lifetime.back_off()

    def commit_offsets(self, messages: list[Message]) -> None:
        """Commit the position after a batch, synchronously; a failure is survived."""
        nexts = next_offsets(messages, within=self.assigned)
        self.probe.point("before_offset_commit")
        if nexts:
            self._commit(nexts)
        self.probe.point("after_offset_commit")

    def _commit(self, nexts: list[TopicPartition]) -> None:
        try:
            self.consumer.commit(offsets=nexts, asynchronous=False)
        except KafkaException as error:
            self.probe.journal("error", error=f"offset commit: {error}")
            return
        self.probe.journal(
            "offsets-committed",
            topic=nexts[0].topic,
            partitions=[place.partition for place in nexts],
            offsets=[place.offset for place in nexts],
        )

    def _on_assign(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        self.assigned |= {(place.topic, place.partition) for place in places}
        self._journal_rebalance("assigned", places)

    def _on_revoke(self, _consumer: Consumer, places: list[TopicPartition]) -> None:
        self.assigned -= {(place.topic, place.partition) for place in places}
        self._journal_rebalance("revoked", places)

    def _journal_rebalance(self, event: str, places: list[TopicPartition]) -> None:
        partitions = [place.partition for place in places]
        self.probe.journal(event, topic=os.environ["TOPIC_ORDERS"], partitions=partitions)


def id_of(message: Message) -> int:
    """Return the message id that the record carries in its header."""
    headers = cast("list[tuple[str, bytes]]", message.headers() or [])
    return next(int(value) for name, value in headers if name == "message-id")


def incoming(message: Message) -> Incoming:
    """Return what effects need of a record."""
    return Incoming(
        message_id=id_of(message),
        payload_sha256=hashlib.sha256(message.value() or b"").digest(),
        place=f"{message.topic()}-{message.partition()}",
    )


def next_offsets(messages: list[Message], *, within: set[tuple[str, int]]) -> list[TopicPartition]:
    """Return the offset after the last message of each partition that is still ours."""
    last = {
        (message.topic() or "", message.partition() or 0): message.offset() or 0
        for message in messages
    }
    return [TopicPartition(*place, offset + 1) for place, offset in last.items() if place in within]


def commit_after(effects: Effects, messages: list[Message]) -> None:
    """Safe: the effects first, the offsets when they are committed."""
    if effects.take_effect(messages):
        effects.commit_offsets(messages)


def commit_before(effects: Effects, messages: list[Message]) -> None:
    """Unsafe: the offsets first; a crash on the way to the effects skips the batch."""
    effects.commit_offsets(messages)
    effects.take_effect(messages)


def commit_in_background(effects: Effects, messages: list[Message]) -> None:
    """Unsafe: the client library commits what it delivered, on a timer of its own."""
    effects.take_effect(messages)


def commit_despite_errors(effects: Effects, messages: list[Message]) -> None:
    """Unsafe: an error of the handler is logged, and its batch is called done."""
    effects.take_effect(messages, once=True)
    effects.commit_offsets(messages)


def commit_the_last(effects: Effects, messages: list[Message]) -> None:
    """Unsafe: one message at a time, and the last one that worked commits for all before it."""
    done = [message for message in messages if effects.take_effect([message], once=True)]
    effects.commit_offsets(done)


COMMITTING: Mapping[str, Callable[[Effects, list[Message]], None]] = {
    "after": commit_after,
    "before": commit_before,
    "background": commit_in_background,
    "despite-errors": commit_despite_errors,
    "last": commit_the_last,
}
"""CONSUMER_COMMIT: when offsets are committed."""


def main() -> None:
    """Run one consumer process."""
    probe = Probe.from_environment()
    Effects(probe, Lifetime()).run()
    probe.journal("stop", pid=os.getpid())


if __name__ == "__main__":
    main()
