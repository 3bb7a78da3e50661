"""Client configurations, written out in full; an override of null leaves a setting to the client.

librdkafka's defaults are weaker than Java's: idempotence off, 1,000,000 requests in flight,
`largest`, auto-commit on.
"""

import json
import os
from dataclasses import dataclass

Settings = dict[str, str | int | float | bool]

_CONNECTION: Settings = {
    "client.dns.lookup": "use_all_dns_ips",
    "socket.keepalive.enable": True,
    "socket.nagle.disable": True,
    "allow.auto.create.topics": False,
    "log_level": 4,
}

_PRODUCER: Settings = {
    "acks": "all",
    "enable.idempotence": True,
    "enable.gapless.guarantee": False,
    "max.in.flight.requests.per.connection": 5,
    "retries": 2147483647,
    "batch.num.messages": 10000,
    "batch.size": 1000000,
    "message.max.bytes": 1000000,
    "queue.buffering.max.messages": 100000,
    "partitioner": "murmur2_random",
    "compression.type": "none",
}

_CONSUMER: Settings = {
    "group.protocol": "classic",
    "partition.assignment.strategy": "range",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "check.crcs": True,
    "fetch.min.bytes": 1,
    "queued.min.messages": 5000,
    "queued.max.messages.kbytes": 16384,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waits:
    """Every time-out and pause of a client, under one of the lab's profiles."""

    connection: Settings
    producer: Settings
    consumer: Settings


_FAST = _Waits(
    connection={
        "socket.timeout.ms": 3000,
        "socket.connection.setup.timeout.ms": 2000,
        "reconnect.backoff.ms": 20,
        "reconnect.backoff.max.ms": 500,
        "retry.backoff.ms": 50,
        "retry.backoff.max.ms": 500,
        # A leader that was deposed behind its back answers REQUEST_TIMED_OUT, which lets librdkafka
        # try again, not ask again: until the next refresh it stays with a leader that cannot serve.
        "topic.metadata.refresh.interval.ms": 1000,
        "topic.metadata.refresh.fast.interval.ms": 50,
    },
    producer={"request.timeout.ms": 2000, "message.timeout.ms": 15000, "linger.ms": 2},
    consumer={
        "session.timeout.ms": 3000,
        "heartbeat.interval.ms": 500,
        "max.poll.interval.ms": 60000,
        "fetch.wait.max.ms": 100,
        "fetch.error.backoff.ms": 100,
        "fetch.queue.backoff.ms": 50,
    },
)

_PRODUCTION = _Waits(  # librdkafka's own defaults
    connection={
        "socket.timeout.ms": 60000,
        "socket.connection.setup.timeout.ms": 30000,
        "reconnect.backoff.ms": 100,
        "reconnect.backoff.max.ms": 10000,
        "retry.backoff.ms": 100,
        "retry.backoff.max.ms": 1000,
        "topic.metadata.refresh.interval.ms": 300000,
        "topic.metadata.refresh.fast.interval.ms": 100,
    },
    producer={"request.timeout.ms": 30000, "message.timeout.ms": 300000, "linger.ms": 5},
    consumer={
        "session.timeout.ms": 45000,
        "heartbeat.interval.ms": 3000,
        "max.poll.interval.ms": 300000,
        "fetch.wait.max.ms": 500,
        "fetch.error.backoff.ms": 500,
        "fetch.queue.backoff.ms": 1000,
    },
)


def producer_settings() -> Settings:
    """Return the producer's configuration, KAFKA_PRODUCER_CONFIG (a JSON object) on top."""
    waits = _waits()
    settings = _CONNECTION | waits.connection | _PRODUCER | waits.producer
    return _with_overrides(settings, "KAFKA_PRODUCER_CONFIG")


def consumer_settings() -> Settings:
    """Return the consumer's configuration, KAFKA_CONSUMER_CONFIG (a JSON object) on top."""
    waits = _waits()
    group: Settings = {"group.id": os.environ["KAFKA_GROUP_ID"]}
    settings = _CONNECTION | waits.connection | _CONSUMER | waits.consumer | group
    return _with_overrides(settings, "KAFKA_CONSUMER_CONFIG")


def share_settings() -> Settings:
    """Return the configuration of a member of a share group: most of it is the broker's to say."""
    connection: Settings = {
        name: value for name, value in _CONNECTION.items() if name != "allow.auto.create.topics"
    }
    mode: Settings = {
        "group.id": os.environ["KAFKA_GROUP_ID"],
        "share.acknowledgement.mode": "explicit",
    }
    return _with_overrides(connection | _waits().connection | mode, "KAFKA_CONSUMER_CONFIG")


def _waits() -> _Waits:
    return _PRODUCTION if os.environ.get("HARNESS_PROFILE") == "production" else _FAST


def _with_overrides(settings: Settings, variable: str) -> Settings:
    bootstrap: Settings = {"bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"]}
    overrides: dict[str, str | int | float | bool | None] = json.loads(
        os.environ.get(variable) or "{}"
    )
    chosen = settings | bootstrap | overrides
    return {name: value for name, value in chosen.items() if value is not None}
