"""What each of the project's own images is made from: a base, files, a few steps, and a proof.

The servers stand where the public images have them, under the same accounts and with the same
volumes, so that whoever starts a container need not know which set it is from.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.provision import java, kafka, toxiproxy, zookeeper
from harness.provision.images import role
from harness.provision.images.names import (
    KAFKA_LIBS,
    POSTGRES_BIN,
    POSTGRES_MAJOR,
    PROJECT,
    REDIS_SERVER,
    REDIS_VERSION,
    ROLE,
    ROLE_PACKAGES,
    TOXIPROXY_SERVER,
    ZOOKEEPER_LIBS,
    image_set,
)
from harness.provision.values import Progress

BASE = f"{PROJECT}/base:bookworm"
SUITE = "bookworm"
PACKAGES = (
    "openjdk-17-jre-headless",
    f"postgresql-{POSTGRES_MAJOR}",
    "python3",
    "redis-server",
)
_JAVA = f"FROM {BASE}\nRUN useradd --uid 1000 --create-home {{user}}\n"
_KAFKA_VOLUMES = "/var/lib/kafka/data /etc/kafka/secrets /mnt/shared/config"
_KAFKA = (
    _JAVA.format(user="appuser")
    + f"COPY libs/ {KAFKA_LIBS}/\n"
    + f"RUN install -d -o appuser -g appuser {_KAFKA_VOLUMES}\n"
    + "USER appuser\n"
    + f"VOLUME {_KAFKA_VOLUMES}\n"
)
_TOXIPROXY = f"""FROM scratch
COPY toxiproxy-server {TOXIPROXY_SERVER}
EXPOSE 8474
ENTRYPOINT ["{TOXIPROXY_SERVER}"]
CMD ["-host=0.0.0.0"]
"""
_POSTGRES = f"""FROM {BASE}
ENV PATH={POSTGRES_BIN}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
RUN install -d -o postgres -g postgres -m 700 /var/lib/postgresql/data
VOLUME /var/lib/postgresql/data
"""
_REDIS = f"""FROM {BASE}
RUN install -d -o redis -g redis /data
WORKDIR /data
VOLUME /data
"""
_ZOOKEEPER = (
    _JAVA.format(user="zookeeper")
    + f"COPY libs/ {ZOOKEEPER_LIBS}/\n"
    + "RUN install -d -o zookeeper -g zookeeper /data /datalog /logs\n"
    + "VOLUME /data /datalog /logs\n"
)
_ROLE = f"""FROM {BASE}
ENV PYTHONPATH={ROLE_PACKAGES} PYTHONUNBUFFERED=1
COPY packages/ {ROLE_PACKAGES}/
RUN ln -s /usr/bin/python3 /usr/local/bin/python && python -m compileall -q {ROLE_PACKAGES}
"""
_ROLE_PROOF = """
import kazoo, redis
from harness.pipeline.reference import consumer, producer, relay
print("a role can run")
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that one image is made from."""

    reference: str
    steps: str
    """A Dockerfile that needs no network."""
    files: Mapping[str, Path]
    """What the steps copy: name in the build's context → file on this machine."""
    proof: tuple[str, ...]
    """What is run in a new image before it gets its name; "" as the first: its entrypoint."""
    proved_by: str
    """What the proof has to print."""
    needs_base: bool = True

    def digest(self, *, base: str) -> str:
        """Return a name for all that it is made from; `base` is the base image's own."""
        parts = hashlib.sha256(f"{self.steps}\0{base if self.needs_base else ''}".encode())
        for name, path in sorted(self.files.items()):
            parts.update(f"\0{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
        return parts.hexdigest()


def recipes(kafka_version: str, *, progress: Progress) -> Iterator[Recipe]:
    """Return the recipe of each image; what they copy is fetched into the user's cache first.

    ProvisionError if a part is missing and cannot be fetched.
    """
    own = image_set("own", kafka_version=kafka_version)
    yield _kafka(own.kafka, kafka_version, progress=progress)
    yield _toxiproxy(own.toxiproxy, progress=progress)
    yield Recipe(
        reference=own.postgres,
        steps=_POSTGRES,
        files={},
        proof=("postgres", "--version"),
        proved_by=f"PostgreSQL) {POSTGRES_MAJOR}.",
    )
    yield Recipe(
        reference=own.redis,
        steps=_REDIS,
        files={},
        proof=(REDIS_SERVER, "--version"),
        proved_by=f"v={REDIS_VERSION} ",
    )
    yield _zookeeper(own.zookeeper, progress=progress)
    packages = role.files(progress=progress)
    yield Recipe(
        reference=ROLE,
        steps=_ROLE,
        files={f"packages/{name}": file for name, file in packages.items()},
        proof=("python", "-P", "-c", _ROLE_PROOF),
        proved_by="a role can run",
    )


def _kafka(reference: str, version: str, *, progress: Progress) -> Recipe:
    java_home = java.home(java.provide(progress=progress).path)
    libs = kafka.provide(version, java_home=java_home, progress=progress)
    return Recipe(
        reference=reference,
        steps=_KAFKA,
        files=_jars(libs.path),
        proof=("java", "-cp", f"{KAFKA_LIBS}/*", "kafka.Kafka", "--version"),
        proved_by=version,
    )


def _toxiproxy(reference: str, *, progress: Progress) -> Recipe:
    return Recipe(
        reference=reference,
        steps=_TOXIPROXY,
        files={"toxiproxy-server": toxiproxy.provide(progress=progress).path},
        proof=(TOXIPROXY_SERVER, "-version"),
        proved_by="toxiproxy-server version",  # one of `go install` does not know which
        needs_base=False,
    )


def _zookeeper(reference: str, *, progress: Progress) -> Recipe:
    version_of = "org.apache.zookeeper.version.VersionInfoMain"
    return Recipe(
        reference=reference,
        steps=_ZOOKEEPER,
        files=_jars(zookeeper.provide(progress=progress).path),
        proof=("java", "-cp", f"{ZOOKEEPER_LIBS}/*", version_of),
        proved_by=zookeeper.ZOOKEEPER_VERSION,
    )


def _jars(folder: Path) -> dict[str, Path]:
    return {f"libs/{jar.name}": jar for jar in sorted(folder.glob("*.jar"))}
