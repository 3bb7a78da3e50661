"""Sending messages to Kafka and knowing what became of each.

Used by the relay, and by the producer of the variants that have no outbox.
"""

import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from harness.pipeline.probe import Probe
from harness.pipeline.reference.settings import producer_settings

Row = tuple[int, bytes, bytes]
"""Message id, key, value."""
_Place = tuple[int, int, int]
"""Message id, partition, offset."""
Headers = list[tuple[str, str | bytes | None]]

_NEVER_WRITTEN = {
    KafkaError._QUEUE_FULL,  # noqa: SLF001 - the client's own names begin so
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    KafkaError.MSG_SIZE_TOO_LARGE,
    KafkaError.INVALID_MSG,
}
"""What says for certain that nothing was written; after any other error it may have been."""
NAMES = 1_000_000
"""Names that one message can have where each sending makes one."""
_SLACK_S = 5.0
_ENDING_S = 15.0
"""For a transaction to be ended, retries by the client library included."""


class Publisher:
    """A Kafka producer that is replaced when it fails for good, and the reports of what it sent."""

    def __init__(self, probe: Probe, topic: str, *, transactional: bool = False) -> None:
        self._probe = probe
        self._topic = topic
        self._settings = producer_settings()
        self._transactional = transactional
        if transactional:
            self._settings["transactional.id"] = _name_of_this_process()
        self._name = NAMING[os.environ.get("RELAY_MESSAGE_ID", "stable")]
        self._outstanding: set[int] = set()
        self._acked: list[_Place] = []
        self._uncommitted: list[list[_Place]] = []
        """Acknowledged in a transaction that has not ended: no word of it counts before."""
        self._failed: dict[int, KafkaError] = {}
        self._fatal: KafkaError | None = None
        self._producer = self._connect()

    def _connect(self) -> Producer:
        producer = Producer(self._settings, error_cb=self._on_error)
        if self._transactional:
            producer.init_transactions(_ENDING_S)  # ends what a former life left open
        return producer

    def begin(self) -> None:
        """Begin a transaction of Kafka's; what is sent until its end is in it."""
        self._uncommitted.clear()
        self._producer.begin_transaction()

    def commit(self) -> None:
        """Commit it. KafkaException when that is not possible, or not known: let the life end."""
        self._producer.commit_transaction(_ENDING_S)
        for acked in self._uncommitted:
            self._journal_acked(acked)
        self._uncommitted.clear()

    def abort(self) -> None:
        """Abort it. KafkaException when that is not possible, or not known."""
        self._producer.abort_transaction(_ENDING_S)

    def send(self, rows: Iterable[Row]) -> None:
        """Hand messages to the client library; what it refuses is reported as failed."""
        for message_id, key, value in rows:
            headers = self._name(message_id)
            self._outstanding.add(message_id)
            report = partial(self._on_report, message_id)
            while True:
                try:
                    self._producer.produce(
                        self._topic, value, key, headers=headers, on_delivery=report
                    )
                    break
                except BufferError:
                    self._producer.poll(0.05)
                except KafkaException as error:
                    self._outstanding.discard(message_id)
                    self._failed[message_id] = error.args[0]
                    self._on_error(error.args[0])
                    break

    def outcome(self) -> list[int]:
        """Wait for the report of everything sent; return what was acknowledged.

        Bounded by the client's own message time-out: after that a silent producer is replaced, and
        what it was given counts as unknown.
        """
        end_s = time.monotonic() + int(self._settings["message.timeout.ms"]) / 1000 + _SLACK_S
        acked: list[int] = []
        while self._outstanding and time.monotonic() < end_s and self._fatal is None:
            self._producer.poll(0.1)
            acked += self.collect()
        if self._fatal is not None or self._outstanding:
            self._replace()
        return acked + self.collect()

    def serve(self, seconds: float = 0.0) -> list[int]:
        """Take what reports there are, waiting up to `seconds` for the first; return the acked."""
        self._producer.poll(seconds)
        return self.collect()

    def collect(self) -> list[int]:
        """Count and journal the reports that came; return the acknowledged ids.

        In a transaction they are journalled by its commit: what is aborted was never acknowledged.
        """
        acked, self._acked = self._acked, []
        failed, self._failed = self._failed, {}
        ids = [message_id for message_id, _, _ in acked]
        if acked:
            self._probe.count("acked", len(acked))
            if self._transactional:
                self._uncommitted.append(acked)
            else:
                self._journal_acked(acked)
        if failed:
            self._journal_failures(failed)
        return ids

    def _journal_acked(self, acked: list[_Place]) -> None:
        self._probe.journal(
            "acked",
            ids=[message_id for message_id, _, _ in acked],
            topic=self._topic,
            partitions=[partition for _, partition, _ in acked],
            offsets=[offset for _, _, offset in acked],
        )

    def _journal_failures(self, failed: dict[int, KafkaError]) -> None:
        for event, certain in (("send-failed", True), ("send-unknown", False)):
            ids = [i for i, error in failed.items() if (error.code() in _NEVER_WRITTEN) is certain]
            if ids:
                self._probe.journal(event, ids=ids, error=failed[ids[0]].str())

    def _replace(self) -> None:
        """Give this producer up, and with it what it still holds, and make a new one."""
        self._probe.journal("error", error=f"producer replaced: {self._fatal or 'no report'}")
        self._producer.purge(in_queue=True, in_flight=True, blocking=False)
        self._producer.flush(1.0)
        for message_id in self._outstanding:
            self._failed[message_id] = KafkaError(KafkaError._TIMED_OUT)  # noqa: SLF001
        self._outstanding.clear()
        self._fatal = None
        self._producer = self._connect()

    def _on_report(self, message_id: int, error: KafkaError | None, message: Message) -> None:
        self._outstanding.discard(message_id)
        if error is None:
            self._acked.append((message_id, message.partition() or 0, _offset(message)))
        else:
            self._failed[message_id] = error

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._fatal = error


def by_message(message_id: int) -> Headers:
    """Safe: every sending of a message carries the same id."""
    return [("message-id", b"%d" % message_id)]


def by_sending(message_id: int) -> Headers:
    """Unsafe: the id that consumers know a message by is made anew with each sending."""
    name = message_id * NAMES + random.randrange(NAMES)  # noqa: S311 - a name, no secret
    return [("order-id", b"%d" % message_id), ("message-id", b"%d" % name)]


NAMING: Mapping[str, Callable[[int], Headers]] = {"stable": by_message, "per-send": by_sending}
"""RELAY_MESSAGE_ID: what of a message a consumer can recognise when it comes again."""


def _name_of_this_process() -> str:
    """Return a transactional id that a process shares with its former lives, and nobody else."""
    given = os.environ.get
    process = f"{given('HARNESS_ROLE', 'relay')}-{given('HARNESS_INSTANCE', '0')}"
    return f"{os.environ['KAFKA_GROUP_ID']}-{process}"


def _offset(message: Message) -> int:
    """Return the offset, or -1 where the broker gave none (acks=0)."""
    offset = message.offset()
    return offset if offset is not None and offset >= 0 else -1
