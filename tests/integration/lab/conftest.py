"""Real servers without Kafka: a Toxiproxy with every proxy of a lab, and what it runs on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.clock import Deadline
from harness.lab.keeping import ports, warden
from harness.lab.layout import PORTS, Layout
from harness.lab.links.proxied import ProxiedLinks
from harness.lab.links.toxiproxy import ToxiproxyApi
from harness.lab.links.traffic import TrafficGauge, open_ports_of
from harness.lab.local import toxiproxy_server
from harness.lab.local.recipe import Recipe, recipe_of
from harness.provision.parts import provide


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Return what labs of this machine are made from."""
    return recipe_of(provide())


@pytest.fixture
def layout() -> Iterator[Layout]:
    """Return a claimed block of ports."""
    base, claim = ports.claim_block(PORTS)
    yield Layout(base=base)
    claim.release()


@pytest.fixture
def links(layout: Layout, recipe: Recipe, tmp_path: Path) -> Iterator[ProxiedLinks]:
    """Return the links of a lab whose nodes are yet to come."""
    api = ToxiproxyApi(layout.api)
    population = toxiproxy_server.prepare(tmp_path, layout=layout)
    server = toxiproxy_server.process(
        population, layout=layout, recipe=recipe, mark={warden.MARKER: "none"}, api=api
    )
    gauge = TrafficGauge(
        population.parent / "server.log",
        layout=layout,
        open_ports=lambda: open_ports_of(server.pid()),
    )
    server.start()
    try:
        toxiproxy_server.await_populated(server, layout=layout, deadline=Deadline(10))
        links = ProxiedLinks(api, layout=layout, gauge=gauge)
        yield links
        links.close()
    finally:
        server.kill()
