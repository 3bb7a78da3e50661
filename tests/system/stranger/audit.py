"""Keeps audit lines, once each."""

import json
import os
import signal
import sys
import time

import psycopg
from confluent_kafka import Consumer, KafkaException

running = True


def stop(*_: object) -> None:
    global running
    running = False


signal.signal(signal.SIGTERM, stop)
consumer = Consumer(
    {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "group.id": "auditor-" + os.environ["TOPIC_AUDIT_LOG"],
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": int(os.environ.get("SESSION_TIMEOUT_MS", "45000")),
    }
)
consumer.subscribe([os.environ["TOPIC_AUDIT_LOG"]])
connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3)
while running:
    message = consumer.poll(0.2)
    if message is None:
        continue
    if message.error():
        print("consumer:", message.error(), flush=True)
        continue
    value = message.value()
    assert value is not None
    body = value.decode()
    audit_id = json.loads(body)["meta"]["id"]
    try:
        with connection.transaction():
            new = connection.execute(
                "INSERT INTO seen VALUES ('auditor', %s) ON CONFLICT DO NOTHING", (audit_id,)
            ).rowcount
            if new:
                connection.execute(
                    "INSERT INTO audit_lines (audit_id, body) VALUES (%s, %s)", (audit_id, body)
                )
    except psycopg.Error as error:
        # Simply die: whoever runs us starts us again, and the offset is not committed.
        sys.exit(f"database: {error}")
    try:
        consumer.commit(message=message, asynchronous=True)
    except KafkaException as error:
        print("commit failed:", error, flush=True)
    time.sleep(0)
consumer.close()
