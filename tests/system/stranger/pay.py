"""Makes payments: a payment and its outbox row in one transaction, until told to stop."""

import json
import os
import random
import signal
import sys
import threading
import time
import uuid

import psycopg

LIMIT = int(os.environ.get("LIMIT", "0"))
WRITERS = int(os.environ.get("WRITERS", "3"))
PAUSE_S = float(os.environ.get("PAUSE_S", "0.01"))
WRITE_IN_TURN = os.environ.get("WRITE_IN_TURN") == "1"

stopping = threading.Event()


def pay(connection: psycopg.Connection, number: int) -> None:
    """Write one payment; its id is chosen before, so that a retry writes the same one."""
    payment, audit = str(uuid.uuid4()), str(uuid.uuid4())
    account = f"account-{random.randrange(20)}"
    body = json.dumps(
        {"meta": {"id": payment, "v": 1}, "account": account, "amount": f"{number % 900}.10"}
    )
    while True:
        try:
            with connection.transaction():
                if WRITE_IN_TURN:
                    connection.execute("SELECT pg_advisory_xact_lock(1)")
                connection.execute(
                    "INSERT INTO payments (id, audit_id, account, body) VALUES (%s, %s, %s, %s)"
                    " ON CONFLICT DO NOTHING",
                    (payment, audit, account, body),
                )
                connection.execute(
                    "INSERT INTO outbox (payment_id) SELECT %s::uuid"
                    " WHERE NOT EXISTS (SELECT FROM outbox WHERE payment_id = %s::uuid)",
                    (payment, payment),
                )
                if not WRITE_IN_TURN:
                    time.sleep(random.uniform(0, 0.02))  # the rest of the business transaction
        except psycopg.OperationalError as error:
            print("database gone, trying again:", error, flush=True)
            time.sleep(0.3)
            connection = connect()
        else:
            return


def connect() -> psycopg.Connection:
    """Connect, however long it takes."""
    while True:
        try:
            return psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3)
        except psycopg.OperationalError as error:
            print("no database yet:", error, flush=True)
            time.sleep(0.3)


def write(count: int) -> None:
    """Write payments, `count` of them or without end."""
    connection, number = connect(), 0
    while not stopping.is_set() and (not count or number < count):
        if connection.closed:
            connection = connect()
        pay(connection, number)
        number += 1
        time.sleep(PAUSE_S)


signal.signal(signal.SIGTERM, lambda *_: stopping.set())
threads = [threading.Thread(target=write, args=(LIMIT // WRITERS,)) for _ in range(WRITERS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done", flush=True)
sys.exit(0)
