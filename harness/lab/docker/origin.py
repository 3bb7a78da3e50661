"""What a lab of containers is made from, and the files that its containers find."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from harness.lab.docker import servers
from harness.lab.docker.database_template import Template
from harness.lab.docker.servers import HOME, Server
from harness.lab.layout import DATABASE, TOXIPROXY, Layout, node_name
from harness.lab.links import proxies
from harness.lab.nodes import node_files
from harness.lab.profile import Profile
from harness.lab.values import NODES
from harness.provision import jvm
from harness.provision.checkpoint import levels
from harness.provision.images.names import Images
from harness.schedule.targets import LockServiceName


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Images, and which Kafka is in them."""

    images: Images
    identities: Mapping[str, str]
    """Image id and digests by reference."""
    kafka_version: str
    features: Mapping[str, int]

    def described(self, settings: Mapping[int, Mapping[str, str]]) -> dict[str, object]:
        """Return it for `environment.json`, with the settings of the nodes."""
        return {
            "kafka": self.kafka_version,
            "features": " ".join(levels(self.features)),
            "versions": {
                each.name: f"{reference} {self.identities[reference]}"
                for each in fields(Images)
                if (reference := getattr(self.images, each.name)) in self.identities
            },
            "nodes": {str(number): dict(each) for number, each in settings.items()},
            "java": jvm.flags(),
        }

    def servers(
        self, *, layout: Layout, template: Template, archive: Path | None = None
    ) -> dict[str, Server]:
        """Return the servers that every lab has, by name.

        `template` is the database's data, `archive` Kafka's class data.
        """
        return {
            TOXIPROXY: servers.toxiproxy(self.images, layout=layout),
            **{
                node_name(number): servers.node(number, self.images, layout=layout, archive=archive)
                for number in NODES
            },
            DATABASE: servers.database(
                self.images, layout=layout, accounts=template.accounts, data=template.archive
            ),
        }

    def lock_service(self, name: LockServiceName, *, layout: Layout) -> Server:
        """Return a lock service."""
        make = {"redis": servers.redis, "zookeeper": servers.zookeeper}[name]
        return make(self.images, layout=layout)


def write_files(
    folder: Path, *, layout: Layout, profile: Profile, origin: Origin, checkpoint: Path
) -> dict[int, Mapping[str, str]]:
    """Write what proxies and nodes find when they start; return the settings of the nodes."""
    write_proxies(folder, layout=layout)
    files = node_files.prepare(
        folder,
        layout=layout,
        profile=profile,
        kafka_version=origin.kafka_version,
        checkpoint=checkpoint,
        seen_as=Path(HOME),
    )
    return {each.number: each.settings for each in files}


def write_proxies(folder: Path, *, layout: Layout) -> None:
    """Write the population that the proxies' server reads before it opens its API."""
    home = folder / TOXIPROXY
    home.mkdir()
    population = json.dumps(proxies.population_of(layout), indent=1)
    (home / "proxies.json").write_text(population, encoding="utf-8")


def write_lock_files(folder: Path, name: LockServiceName, *, layout: Layout, password: str) -> None:
    """Write what a lock service finds when it starts."""
    home = folder / name
    (home / "tmp").mkdir(parents=True)
    if name == "redis":
        file, text = home / "redis.conf", servers.redis_conf(layout=layout, password=password)
    else:
        file, text = home / "zoo.cfg", servers.zookeeper_conf(layout=layout)
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
