"""The same lab standing, as a compose file: made of the very servers that the backend starts. Pure.

`make compose` writes `docker-compose.yml` from it, and a test holds that file to be current. What
is in mounted folders for other labs is in the file itself (`configs`), and a node formats its own
storage.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from harness.lab.databases import APP, SUPERUSER, Account
from harness.lab.docker import marks, servers
from harness.lab.docker.servers import HOME, PROXIES, TEMPORARY, Server
from harness.lab.layout import DATABASE, LOOPBACK, TOXIPROXY, Layout, node_name
from harness.lab.links import proxies
from harness.lab.nodes import node_config
from harness.lab.profile import FAST
from harness.lab.values import LOCK_SERVICES, NODES
from harness.provision.checkpoint import MAIN
from harness.provision.images.names import KAFKA_LIBS, PUBLIC, Images
from harness.provision.kafka import KAFKA_VERSION

BASE = 19_000
"""Below the blocks that other labs choose from."""
LAYOUT = Layout(base=BASE, networked=True)
PROFILE = FAST
ACCOUNTS: Mapping[str, Account] = {
    name: Account(name=name, password=name) for name in (SUPERUSER, APP)
}
"""A standing lab is there to be poked at, from this machine: its passwords are in the file."""
REDIS_PASSWORD = "harness"  # noqa: S105  # as the accounts
STANDING = "zero-loss-harness.standing"
KIND = "compose"
_CLUSTER_ID = "emVyby1sb3NzLWhhcm5lc3"
_PROPERTIES = "/node.properties"
_OWN = "/tmp"  # noqa: S108  # of a container, where any account may write
_DATA = Path(_OWN, "lab", "data")
_FORMAT_AND_RUN = f"""\
set -e
[ -e {_DATA}/meta.properties ] ||
  java -cp '{KAFKA_LIBS}/*' {MAIN} format -t {_CLUSTER_ID} -c {_PROPERTIES}
exec java "$@"
"""
_HEALTH = {"interval": "2s", "timeout": "5s", "retries": 30, "start_period": "2s"}


def composition() -> dict[str, Any]:
    """Return the content of the compose file."""
    images = Images(**{each.name: _variable(each.name) for each in fields(Images)})
    lock_services = {
        "redis": servers.redis(images, layout=LAYOUT),
        "zookeeper": servers.zookeeper(images, layout=LAYOUT),
    }
    return {
        "name": "zero-loss-harness",
        "services": {
            TOXIPROXY: {
                **_service(servers.toxiproxy(images, layout=LAYOUT)),
                "configs": [_config("proxies", PROXIES)],
            },
            **{node_name(number): _node(number, images) for number in NODES},
            DATABASE: {
                **_service(servers.database(images, layout=LAYOUT, accounts=ACCOUNTS)),
                "healthcheck": _healthy(
                    'PATH="$PATH:$(echo /usr/lib/postgresql/*/bin)"'
                    f" pg_isready -h {LOOPBACK} -p {LAYOUT.postgres}"
                ),
            },
            **{name: _lock_service(name, lock_services[name]) for name in LOCK_SERVICES},
        },
        "configs": {name: {"content": _escaped(text)} for name, text in _files().items()},
    }


def node_settings(number: int) -> dict[str, str]:
    """Return every setting that a node of the standing lab is given."""
    return node_config.properties(
        number, layout=LAYOUT, data=_DATA, profile=PROFILE, kafka_version=KAFKA_VERSION
    )


def _node(number: int, images: Images) -> dict[str, Any]:
    server = servers.node(number, images, layout=LAYOUT)
    words = [word.replace(f"{HOME}/node.properties", _PROPERTIES) for word in server.command]
    audit = LAYOUT.listener(number, "AUDIT")
    return {
        **_service(server),
        "entrypoint": ["/bin/sh", "-c", _escaped(_FORMAT_AND_RUN), "node"],
        "command": [_escaped(word.replace(TEMPORARY, _OWN)) for word in words],
        "configs": [_config(node_name(number), _PROPERTIES)],
        "depends_on": [TOXIPROXY],
        # Healthy is a node that listens, and whose proxies do: theirs has no shell to ask with.
        "healthcheck": _healthy(
            f"</dev/tcp/{LOOPBACK}/{audit} && </dev/tcp/{TOXIPROXY}/{LAYOUT.api}", by="bash"
        ),
    }


def _lock_service(name: str, server: Server) -> dict[str, Any]:
    port = LAYOUT.lock_service(name)
    file = {"redis": "redis.conf", "zookeeper": "zoo.cfg"}[name]
    checks = {
        "redis": f"redis-cli -p {port} -a {REDIS_PASSWORD} ping | grep -q PONG",
        "zookeeper": f"</dev/tcp/{LOOPBACK}/{port}",
    }
    words = [word.replace(TEMPORARY, _OWN) for word in server.command]
    return {
        **_service(server),
        "command": [_escaped(word) for word in words],
        "profiles": [name],
        "configs": [_config(name, f"{HOME}/{file}")],
        "healthcheck": _healthy(checks[name], by="bash"),
    }


def _service(server: Server) -> dict[str, Any]:
    service: dict[str, Any] = {
        "image": server.image,
        "hostname": server.name,
        "entrypoint": [_escaped(word) for word in server.entrypoint],
        "command": [_escaped(word) for word in server.command],
        "ports": [f"{LOOPBACK}:{each}:{each}" for each in ranges(server.ports)],
        "dns": [LOOPBACK],
        "labels": {
            STANDING: KIND,
            marks.SERVER: server.name,
            marks.KAFKA: KAFKA_VERSION,
            marks.PROFILE: PROFILE.name,
        },
        "networks": {"default": {"aliases": [server.name, *server.aliases]}},
    }
    if server.environment:
        service["environment"] = {
            name: _escaped(value) for name, value in server.environment.items()
        }
    if server.user:
        service["user"] = server.user
    return service


def ranges(ports: Iterable[int]) -> list[str]:
    """Return ports as compose writes neighbours: 19000, 19049-19109."""
    first_of: dict[int, int] = {}
    for port in sorted(ports):
        first_of[port] = first_of.pop(port - 1, port)
    return [f"{first}-{last}" if first < last else f"{last}" for last, first in first_of.items()]


def _files() -> dict[str, str]:
    """Return the content of every file that a server finds, by the name of its config."""
    return {
        "proxies": json.dumps(proxies.population_of(LAYOUT), indent=1) + "\n",
        **{node_name(number): node_config.render(node_settings(number)) for number in NODES},
        "redis": servers.redis_conf(layout=LAYOUT, password=REDIS_PASSWORD).replace(
            f"dir {HOME}", f"dir {_OWN}"
        ),
        "zookeeper": servers.zookeeper_conf(layout=LAYOUT).replace(f"{HOME}/", f"{_OWN}/"),
    }


def _variable(name: str) -> str:
    """Return an image that a variable of the environment may name, else the public one."""
    return f"${{ZLH_{name.upper()}_IMAGE:-{getattr(PUBLIC, name)}}}"


def _config(name: str, target: str) -> dict[str, str]:
    return {"source": name, "target": target}


def _healthy(command: str, *, by: str = "sh") -> dict[str, Any]:
    return {"test": ["CMD", by, "-c", _escaped(command)], **_HEALTH}


def _escaped(text: str) -> str:
    """Return text in which compose itself finds no variable."""
    return text.replace("$", "$$")
