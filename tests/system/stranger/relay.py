"""Publishes the outbox: each payment to `payments`, and a line about it to `audit-log`."""

import json
import os
import signal
import time
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
from confluent_kafka import KafkaError, KafkaException, Message, Producer

PAYMENTS, AUDIT_LOG = os.environ["TOPIC_PAYMENTS"], os.environ["TOPIC_AUDIT_LOG"]
BUG = os.environ.get("BUG", "")
# A relay that is behind never reads the open end of the outbox, where this bug lives.
BATCH = 1000 if BUG == "high-water-mark" else 50

running = True


def stop(*_: object) -> None:
    global running
    running = False


signal.signal(signal.SIGTERM, stop)

config = {
    "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 5,
    "message.timeout.ms": 10000,
}
if BUG in ("report-ignored", "failed-batch-skipped"):
    config |= {"enable.idempotence": False, "message.timeout.ms": 700, "request.timeout.ms": 500}
if BUG == "no-flush":
    config |= {"linger.ms": 400}
producer = Producer(config)
cursor = 0


def claim(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Take the next rows, in order."""
    if BUG == "high-water-mark":
        where, lock = f"seq > {cursor}", ""
    elif BUG == "failed-batch-skipped":
        where, lock = f"NOT sent AND seq > {cursor}", ""
    else:
        where, lock = "NOT sent", "FOR UPDATE OF outbox SKIP LOCKED"
    return connection.execute(
        "SELECT seq, payment_id::text, audit_id::text, account, body, attempts FROM outbox"
        f" JOIN payments ON payments.id = payment_id WHERE {where} ORDER BY seq LIMIT {BATCH} {lock}"
    ).fetchall()


def payment_record(seq: int, account: str, body: str, attempts: int) -> tuple[str, str, str]:
    """Return the topic, key and value of a payment."""
    topic = PAYMENTS
    if BUG == "wrong-topic" and seq % 50 == 0:
        topic = AUDIT_LOG
    if BUG == "payload-changed":
        document = json.loads(body)
        document["amount"] = float(document["amount"])
        body = json.dumps(document)
    if BUG == "new-id-on-retry" and attempts:
        document = json.loads(body)
        document["meta"]["id"] = str(uuid.uuid4())
        body = json.dumps(document)
    return topic, account, body


def publish(rows: list[tuple[Any, ...]]) -> list[int]:
    """Send both records of each row; return the rows whose two records were acknowledged."""
    reports = dict.fromkeys((row[0] for row in rows), 0)

    def reported(seq: int) -> Callable[[KafkaError | None, Message], None]:
        def on_delivery(error: KafkaError | None, _message: Message) -> None:
            if error is None:
                reports[seq] += 1
            else:
                print("not delivered:", seq, error, flush=True)

        return on_delivery

    for seq, payment, audit, account, body, attempts in rows:
        topic, key, value = payment_record(seq, account, body, attempts)
        line = json.dumps({"meta": {"id": audit}, "paid": payment})
        for target, text in ((topic, value), (AUDIT_LOG, line)):
            while True:
                try:
                    producer.produce(target, text, key=key, on_delivery=reported(seq))
                    break
                except BufferError:
                    producer.poll(0.1)
    if BUG == "no-flush":
        producer.poll(0)
        return [row[0] for row in rows]
    producer.flush()
    if BUG == "report-ignored":
        return [row[0] for row in rows]
    return [seq for seq, reports in reports.items() if reports == 2]


def round_(connection: psycopg.Connection) -> bool:
    """Publish one batch; return whether there was any."""
    global cursor
    if BUG == "new-id-on-retry":
        connection.execute(
            "UPDATE outbox SET attempts = attempts + 1 WHERE seq IN"
            f" (SELECT seq FROM outbox WHERE NOT sent ORDER BY seq LIMIT {BATCH})"
        )
    with connection.transaction():
        rows = claim(connection)
        if BUG == "new-id-on-retry":
            rows = [(*row[:5], row[5] - 1) for row in rows if row[5]]
        sent = publish(rows)
        connection.execute("UPDATE outbox SET sent = true WHERE seq = ANY(%s)", (sent,))
    if rows and BUG in ("high-water-mark", "failed-batch-skipped"):
        cursor = rows[-1][0]
    return bool(rows)


connection: psycopg.Connection | None = None
while running:
    try:
        if connection is None:
            connection = psycopg.connect(
                os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3
            )
        if not round_(connection):
            time.sleep(0.05)
    except (psycopg.Error, KafkaException) as error:
        print("will try again:", error, flush=True)
        connection = None
        time.sleep(0.3)
if BUG != "no-flush":
    producer.flush(3)
