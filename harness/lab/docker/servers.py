"""What each server of a lab is started with: image, command, ports, mounts, as data. Pure.

The one source for containers that are started here and for the compose file. One launch serves the
public images and the project's own: entrypoints are named, nothing else of an image is counted on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.lab.databases import APP, SETTINGS, SUPERUSER, Account, in_words
from harness.lab.layout import DATABASE, LINKS, LISTENERS, TOXIPROXY, Layout, node_name
from harness.lab.lock_spaces import (
    REDIS_SETTINGS,
    ZOOKEEPER_FLAGS,
    ZOOKEEPER_HEAP_MB,
    ZOOKEEPER_MAIN,
    ZOOKEEPER_SETTINGS,
)
from harness.lab.nodes.node_files import LOGGING
from harness.lab.values import LOCK_SERVICES, NODES
from harness.provision import jvm
from harness.provision.images.names import (
    KAFKA_LIBS,
    REDIS_SERVER,
    TOXIPROXY_SERVER,
    ZOOKEEPER_LIBS,
    Images,
)

HOME = "/lab"
"""Where a server finds the folder of its own."""
PROXIES = "/proxies.json"
ARCHIVE = "/classes.jsa"
_FROM_OUTSIDE = ("AUDIT", *(name for name in LISTENERS if name.startswith("SLOT_")))
_NODE_FLAGS = (
    # A name that was asked for before its server was there would be missing for 10 s.
    "-Dsun.net.inetaddr.negative.ttl=0",
    # The public images log by these; without a configuration they would keep nearly all back.
    "-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.yaml",
    "-Dlog4j.configuration=file:/opt/kafka/config/log4j.properties",
    "-Dkafka.logs.dir=/tmp",
)
TEMPORARY = f"{HOME}/tmp"  # noqa: S108  # native libraries are unpacked there
_JAVA_TEMPORARY = f"-Djava.io.tmpdir={TEMPORARY}"
POSTGRES_USER = "postgres"
POSTGRES_DATA = "/tmp/lab"  # noqa: S108  # of a container, nobody else is in there
_POSTGRES_ARCHIVE = "/data.tar"
_POSTGRES_MAKES = f"""\
set -e
PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"
umask 077
make_data() {{
  printf %s "$SUPERUSER_PASSWORD" > /tmp/word
  initdb --no-sync --no-instructions --encoding=UTF8 --locale=C --auth=scram-sha-256 \\
    --username={SUPERUSER} --pwfile=/tmp/word --pgdata={POSTGRES_DATA}
  rm /tmp/word
  echo 'host all all all scram-sha-256' >> {POSTGRES_DATA}/pg_hba.conf
  echo "CREATE ROLE {APP} LOGIN PASSWORD '$APP_PASSWORD'" |
    postgres --single -D {POSTGRES_DATA} postgres
}}
"""
POSTGRES_MAKE = _POSTGRES_MAKES + "make_data\n"
"""Makes the data of a server, and ends: for `database_template.py`."""
_POSTGRES = f"""\
{_POSTGRES_MAKES}
if [ ! -e {POSTGRES_DATA}/whole ]; then
  rm -rf {POSTGRES_DATA}
  if [ -e {_POSTGRES_ARCHIVE} ]; then
    tar -x -f {_POSTGRES_ARCHIVE} -C {Path(POSTGRES_DATA).parent}
  else
    make_data
  fi
  touch {POSTGRES_DATA}/whole
fi
exec postgres -D {POSTGRES_DATA} "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One server, as an engine is asked for it."""

    name: str
    """Its host name, and its place in the lab's folder."""
    image: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    ports: tuple[int, ...]
    """The same inside and, on 127.0.0.1, outside."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Where a file or folder of the lab's folder is found inside, by its name there.

    One of elsewhere, by its whole path, is for reading only.
    """
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    """The account it runs as; None: the one that owns the lab's folder."""
    aliases: tuple[str, ...] = ()
    """Further names that it has in the lab's network."""


def toxiproxy(images: Images, *, layout: Layout) -> Server:
    """Return the proxies: every link's port is published, so that each can be probed."""
    return Server(
        name=TOXIPROXY,
        image=images.toxiproxy,
        entrypoint=(TOXIPROXY_SERVER,),
        command=("-host", layout.bind, "-port", str(layout.api), "-config", PROXIES),
        ports=(layout.api, *(layout.proxy(link) for link in LINKS)),
        files={f"{TOXIPROXY}/proxies.json": PROXIES},
        environment={"LOG_LEVEL": "info"},  # it writes one line for each connection it accepts
        # A name whose container has ended would be asked of the name servers outside, for seconds,
        # and a proxy accepts nobody meanwhile. So each name leads here as well, where nobody
        # listens at those ports: what is dead refuses at once, as on one machine.
        aliases=(*map(node_name, NODES), DATABASE, *LOCK_SERVICES),
    )


def node(number: int, images: Images, *, layout: Layout, archive: Path | None = None) -> Server:
    """Return a Kafka node; what its peers use is not published.

    `archive` is the class data of its image, if there is any.
    """
    mounted = None if archive is None else Path(ARCHIVE)
    return Server(
        name=node_name(number),
        image=images.kafka,
        entrypoint=("java",),
        command=(
            *jvm.flags(),
            *jvm.use_archive(mounted),
            *("-cp", f"{KAFKA_LIBS}/*", _JAVA_TEMPORARY),
            *LOGGING,
            *_NODE_FLAGS,
            *("kafka.Kafka", f"{HOME}/node.properties"),
        ),
        ports=published(number, layout=layout),
        files={
            node_name(number): HOME,
            **({} if archive is None else {str(archive): ARCHIVE}),
        },
    )


def published(number: int, *, layout: Layout) -> tuple[int, ...]:
    """Return the ports of a node that are reached from outside: by audits, and by the frame proxy.

    Clients never use those of the slots: they are told the ports of the proxies.
    """
    return tuple(layout.listener(number, name) for name in _FROM_OUTSIDE)


def database_environment(accounts: Mapping[str, Account]) -> dict[str, str]:
    """Return the environment in which a database server makes its data, and runs."""
    return {
        "SUPERUSER_PASSWORD": accounts[SUPERUSER].password,
        "APP_PASSWORD": accounts[APP].password,
        "LC_ALL": "C",
    }


def database(
    images: Images, *, layout: Layout, accounts: Mapping[str, Account], data: Path | None = None
) -> Server:
    """Return PostgreSQL; its data is made at its first start, and stays with the container.

    `data` is an archive of it that was made before, with these accounts.
    """
    settings = {"listen_addresses": "*", "port": str(layout.postgres), **SETTINGS}
    return Server(
        name=DATABASE,
        image=images.postgres,
        entrypoint=("/bin/sh", "-c", _POSTGRES, "postgres"),
        command=in_words(settings),
        ports=(layout.postgres,),
        files={} if data is None else {str(data): _POSTGRES_ARCHIVE},
        environment=database_environment(accounts),
        user=POSTGRES_USER,
    )


def redis(images: Images, *, layout: Layout) -> Server:
    """Return Redis, configured by a file of its folder."""
    return Server(
        name="redis",
        image=images.redis,
        entrypoint=(REDIS_SERVER,),
        command=(f"{HOME}/redis.conf",),
        ports=(layout.lock_service("redis"),),
        files={"redis": HOME},
    )


def zookeeper(images: Images, *, layout: Layout) -> Server:
    """Return ZooKeeper, configured by a file of its folder."""
    return Server(
        name="zookeeper",
        image=images.zookeeper,
        entrypoint=("java",),
        command=(
            *jvm.flags(ZOOKEEPER_HEAP_MB),
            *("-cp", f"{ZOOKEEPER_LIBS}/*", _JAVA_TEMPORARY),
            *ZOOKEEPER_FLAGS,
            *(ZOOKEEPER_MAIN, f"{HOME}/zoo.cfg"),
        ),
        ports=(layout.lock_service("zookeeper"),),
        files={"zookeeper": HOME},
    )


def redis_conf(*, layout: Layout, password: str) -> str:
    """Return the configuration file of Redis."""
    settings = {
        "bind": layout.bind,
        **REDIS_SETTINGS,
        "port": str(layout.lock_service("redis")),
        "dir": HOME,
        "requirepass": password,
    }
    return "".join(f"{key} {value}\n" for key, value in settings.items())


def zookeeper_conf(*, layout: Layout) -> str:
    """Return the configuration file of ZooKeeper."""
    settings = {
        "clientPortAddress": layout.bind,
        **ZOOKEEPER_SETTINGS,
        "clientPort": str(layout.lock_service("zookeeper")),
        "dataDir": f"{HOME}/data",
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())
