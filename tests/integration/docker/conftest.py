"""Servers as containers, without Kafka: proxies, a database and a lock service on a real engine."""

from collections.abc import Iterator
from functools import partial

import pytest

from harness.clock import wait_until
from harness.lab.docker import database_template, engine, making
from harness.lab.docker.boot import lock_service_in
from harness.lab.docker.ending import Holding
from harness.lab.docker.origin import Origin, write_proxies
from harness.lab.docker.parts import Parts, put_together
from harness.lab.keeping import folders
from harness.lab.links import proxies
from harness.provision.checkpoint import AS_RELEASED
from harness.provision.images.names import Images
from harness.provision.kafka import KAFKA_VERSION


@pytest.fixture(scope="module")
def holding(images: Images) -> Iterator[Holding]:
    """Hold a name, ports and a folder; whatever bears the name is gone afterwards."""
    client = engine.connect()
    engine.require(client, images.needed())
    holding = Holding.take(client)
    folders.make(holding.folder)
    yield holding
    holding.end()


@pytest.fixture(scope="module")
def parts(holding: Holding, images: Images) -> Parts:
    """Return the parts of a lab of which the proxies and the database run."""
    client = engine.connect()
    origin = Origin(
        images=images,
        identities=engine.require(client, images.needed()),
        kafka_version=KAFKA_VERSION,
        features=AS_RELEASED,
    )
    folder, layout = holding.folder, holding.layout
    write_proxies(folder, layout=layout)
    network = making.make_network(folder.name)
    template = database_template.provide(
        images.postgres,
        identity=origin.identities[images.postgres],
        lab=folder.name,
        progress=print,
    )
    servers = origin.servers(layout=layout, template=template)
    parts = holding.parts = put_together(
        folder,
        layout=layout,
        source=lambda name: partial(making.run, servers[name], folder=folder, network=network),
        accounts=template.accounts,
        lock_service=lambda name: lock_service_in(
            name, origin, folder=folder, layout=layout, network=network
        ),
        read_table=making.TableReader(images.kafka, lab=folder.name).read,
    )
    engine.settle_reaper(client)
    engine.in_parallel([parts.toxiproxy.start, parts.database.start])
    parts.observe()
    wait_until(lambda: proxies.wedged(parts.api) is None, deadline_s=30, describe="the proxies")
    wait_until(parts.database.serves, deadline_s=60, describe="the database")
    return parts
