"""The compose file is the backend's own configuration, and stays so."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from harness.lab.docker import compose
from harness.lab.docker.servers import PROXIES
from harness.lab.keeping import ports
from harness.lab.layout import LINKS, PORTS
from harness.lab.nodes import node_config
from harness.lab.values import NODES
from harness.provision.images.names import PUBLIC

ROOT = Path(__file__).parents[4]
FILE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="module")
def writer() -> ModuleType:
    """Return the script that `make compose` runs."""
    spec = importlib.util.spec_from_file_location("compose_writer", ROOT / ".ci" / "compose.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Return the services of the file, as compose reads them."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8"))["services"])


def test_the_file_is_current(writer: ModuleType) -> None:
    """`make compose` would write just what is there."""
    assert FILE.read_text(encoding="utf-8") == writer.text()


def test_every_port_is_published_on_loopback_only(services: dict[str, Any]) -> None:
    """The same number inside and outside."""
    published = [port for service in services.values() for port in service["ports"]]
    assert len(published) > len(services)
    for each in published:
        address, outside, inside = each.split(":")
        assert address == "127.0.0.1"
        assert outside == inside


def test_its_ports_are_no_other_labs(services: dict[str, Any]) -> None:
    """Below the first block that a lab of its own may be given."""
    assert compose.BASE + PORTS <= ports.FIRST
    assert "database" in services


def test_images_can_be_named_by_variables(services: dict[str, Any]) -> None:
    """The public ones are the default."""
    assert services["node-1"]["image"] == f"${{ZLH_KAFKA_IMAGE:-{PUBLIC.kafka}}}"
    assert services["toxiproxy"]["image"] == f"${{ZLH_TOXIPROXY_IMAGE:-{PUBLIC.toxiproxy}}}"


def test_every_server_with_a_shell_has_a_health_check(services: dict[str, Any]) -> None:
    """The proxies' image has none: they are healthy when the nodes are, which ask them."""
    without = {name for name, service in services.items() if "healthcheck" not in service}
    assert without == {"toxiproxy"}
    for number in NODES:
        (*_, asked) = services[f"node-{number}"]["healthcheck"]["test"]
        assert f"/dev/tcp/toxiproxy/{compose.LAYOUT.api}" in asked


def test_nodes_and_proxies_find_what_the_backend_writes() -> None:
    """The very settings and population, but for where a node keeps its data."""
    content = compose.composition()["configs"]
    for number in NODES:
        written = content[f"node-{number}"]["content"].replace("$$", "$")
        assert written == node_config.render(compose.node_settings(number))
    proxies = yaml.safe_load(content["proxies"]["content"])
    assert [each["name"] for each in proxies] == [str(link) for link in LINKS]
    assert compose.composition()["services"]["toxiproxy"]["command"][-1] == PROXIES


def test_no_variable_is_left_for_compose_to_fill_in_but_images() -> None:
    """Shell variables are escaped: compose would put nothing in their place."""
    text = FILE.read_text(encoding="utf-8").replace("$$", "")
    lines = [line.strip() for line in text.splitlines() if "$" in line]
    assert all(line.startswith("image: ${ZLH_") for line in lines), lines


def test_neighbouring_ports_are_one_range() -> None:
    """As people would write them."""
    assert compose.ranges([19_001, 19_000, 19_005]) == ["19000-19001", "19005"]
