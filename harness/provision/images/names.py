"""The images that a lab of containers is started from, by full reference, and what both sets share.

`public` are the ones that their projects publish; `own` are built on this machine where none can
be pulled. One launch serves both: the paths below are the same in either.
"""

from dataclasses import astuple, dataclass
from typing import Literal

from harness.errors import UsageError
from harness.provision.kafka import KAFKA_VERSION
from harness.provision.toxiproxy import TOXIPROXY_VERSION
from harness.provision.zookeeper import ZOOKEEPER_VERSION

SetName = Literal["public", "own"]
SET_NAMES: tuple[SetName, ...] = ("public", "own")
PROJECT = "zero-loss-harness"
POSTGRES_MAJOR = 15
REDIS_VERSION = "7.0.15"
ROLE_PYTHON = "3.11"

KAFKA_LIBS = "/opt/kafka/libs"
"""Kafka's jars; `java` is on PATH, the user is `appuser` (1000), with `/bin/sh`."""
TOXIPROXY_SERVER = "/toxiproxy"
"""The server, and the entrypoint; there is nothing else in the image, no shell either."""
POSTGRES_BIN = f"/usr/lib/postgresql/{POSTGRES_MAJOR}/bin"
"""`initdb` and `postgres`; both are on PATH too, and there is an account `postgres`."""
REDIS_SERVER = "redis-server"
"""On PATH; there is an account `redis`."""
ZOOKEEPER_LIBS = f"/apache-zookeeper-{ZOOKEEPER_VERSION}-bin/lib"
"""ZooKeeper's jars; `java` is on PATH, and there is an account `zookeeper` (1000)."""
ROLE = f"{PROJECT}/role:{ROLE_PYTHON}"
"""For roles that run as containers. `python` and `python3` are on PATH, and find confluent-kafka,
psycopg, redis, kazoo and the reference pipeline. It is built here and published nowhere."""
ROLE_PACKAGES = "/opt/harness"
"""Where they lie, by PYTHONPATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """The full reference of the image of each server."""

    kafka: str
    toxiproxy: str
    postgres: str
    redis: str
    """Only for pipelines that use it."""
    zookeeper: str
    """Only for pipelines that use it."""

    def needed(self) -> tuple[str, ...]:
        """Return the images that every lab is started from."""
        return (self.kafka, self.toxiproxy, self.postgres)

    def all(self) -> tuple[str, ...]:
        """Return every image of the set."""
        return astuple(self)


PUBLIC = Images(
    kafka=f"apache/kafka:{KAFKA_VERSION}",
    toxiproxy=f"ghcr.io/shopify/toxiproxy:{TOXIPROXY_VERSION}",
    postgres=f"postgres:{POSTGRES_MAJOR}-bookworm",
    redis="redis:7.2-alpine",
    zookeeper=f"zookeeper:{ZOOKEEPER_VERSION}",
)
OWN = Images(
    kafka=f"{PROJECT}/kafka:{KAFKA_VERSION}",
    toxiproxy=f"{PROJECT}/toxiproxy:{TOXIPROXY_VERSION}",
    postgres=f"{PROJECT}/postgres:{POSTGRES_MAJOR}",
    redis=f"{PROJECT}/redis:{REDIS_VERSION}",
    zookeeper=f"{PROJECT}/zookeeper:{ZOOKEEPER_VERSION}",
)


def image_set(name: str, *, kafka_version: str = KAFKA_VERSION) -> Images:
    """Return the set called `public` or `own`, with the image of this Kafka release.

    UsageError for any other name.
    """
    if name not in SET_NAMES:
        raise UsageError(
            f"There is no set of images called {name!r}", remedy=f"choose {' or '.join(SET_NAMES)}"
        )
    chosen = PUBLIC if name == "public" else OWN
    repository = chosen.kafka.rpartition(":")[0]
    return Images(
        kafka=f"{repository}:{kafka_version}",
        toxiproxy=chosen.toxiproxy,
        postgres=chosen.postgres,
        redis=chosen.redis,
        zookeeper=chosen.zookeeper,
    )
