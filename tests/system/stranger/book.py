"""Books payments: one transaction for each message, with a row that says it was seen."""

import json
import os
import signal
import sys
import time
from typing import Any

import psycopg
from confluent_kafka import Consumer, KafkaException, Message

READER = os.environ.get("READER", "ledger")
TOPIC = os.environ["TOPIC_PAYMENTS"]
BUG = os.environ.get("BUG", "")
COMMIT_EVERY = 20

running = True
time.sleep(float(os.environ.get("START_DELAY_S", "0")))  # warms its caches


def stop(*_: object) -> None:
    global running
    running = False


signal.signal(signal.SIGTERM, stop)

config = {
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "group.id": f"{READER}-app",
    "enable.auto.commit": BUG == "auto-commit",
    "auto.offset.reset": "latest" if BUG == "from-latest" else "earliest",
}
if "SESSION_TIMEOUT_MS" in os.environ:
    config["session.timeout.ms"] = int(os.environ["SESSION_TIMEOUT_MS"])
if BUG == "auto-commit":
    config["auto.commit.interval.ms"] = 100

remembered: set[str] = set()


def first_time(connection: psycopg.Connection, message_id: str) -> bool:
    """Tell whether this message was not seen before, and note that it is now."""
    if BUG == "dedup-in-memory":
        fresh = message_id not in remembered
        remembered.add(message_id)
        return fresh
    reader = "anyone" if BUG == "dedup-shared" else READER
    return (
        connection.execute(
            "INSERT INTO seen (reader, message_id) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            (reader, message_id),
        ).rowcount
        == 1
    )


def book(
    connection: psycopg.Connection, message_id: str, document: dict[str, Any], body: str
) -> None:
    """The effect itself."""
    if BUG == "key-skipped" and document["account"] == "account-7":
        return
    connection.execute(
        "INSERT INTO bookings (booked_by, payment_id, body) VALUES (%s, %s, %s)",
        (READER, message_id, body),
    )


def handle(connection: psycopg.Connection, message: Message) -> None:
    """One message, one transaction."""
    value = message.value()
    assert value is not None
    body = value.decode()
    document = json.loads(body)
    message_id = document["meta"]["id"]
    if BUG == "dedup-apart":
        if first_time(connection, message_id):  # committed by itself
            time.sleep(0.004)  # asks the fraud service
            book(connection, message_id, document, body)
        return
    with connection.transaction():
        if first_time(connection, message_id):
            time.sleep(0.004)  # asks the fraud service
            book(connection, message_id, document, body)


def safely_handle(
    connection: psycopg.Connection | None, message: Message
) -> psycopg.Connection | None:
    """Handle it until it works; `error-swallowed` gives up at once."""
    while True:
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(
                    os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3
                )
            handle(connection, message)
            return connection
        except psycopg.Error as error:
            print("handler failed:", error, flush=True)
            connection = None
            time.sleep(0.3 if BUG != "error-swallowed" else 0.01)
            if BUG == "error-swallowed":
                return connection
            if not running:
                sys.exit(1)


consumer = Consumer(config)
consumer.subscribe([TOPIC])
connection: psycopg.Connection | None = None
try:
    while running:
        messages = consumer.consume(COMMIT_EVERY, timeout=0.2)
        if messages and BUG == "commit-first":
            consumer.commit(asynchronous=False)
        for message in messages:
            if message.error():
                print("consumer:", message.error(), flush=True)
                continue
            connection = safely_handle(connection, message)
        if messages and BUG not in ("commit-first", "auto-commit"):
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:
                print("commit failed:", error, flush=True)
finally:
    consumer.close()
