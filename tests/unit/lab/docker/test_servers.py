"""What each server of a lab of containers is started with, and what the engine says of it."""

import pytest

from harness.lab.databases import draw_accounts
from harness.lab.docker import servers
from harness.lab.docker.container import as_status, resident
from harness.lab.docker.servers import Server
from harness.lab.docker.sight import open_at
from harness.lab.docker.traffic import OwnByLink
from harness.lab.layout import LINKS, LISTENERS, Layout
from harness.lab.values import NODES, Link
from harness.provision.images.names import OWN, PUBLIC, Images

LAYOUT = Layout(base=20_000, networked=True)
ACCOUNTS = draw_accounts()
LINK = Link(plane="client", source="slot1", target="1")


def every(images: Images) -> list[Server]:
    """Return all servers of a lab."""
    return [
        servers.toxiproxy(images, layout=LAYOUT),
        *(servers.node(number, images, layout=LAYOUT) for number in NODES),
        servers.database(images, layout=LAYOUT, accounts=ACCOUNTS),
        servers.redis(images, layout=LAYOUT),
        servers.zookeeper(images, layout=LAYOUT),
    ]


def test_both_sets_of_images_are_launched_alike() -> None:
    """Nothing but the image differs."""
    for own, public in zip(every(OWN), every(PUBLIC), strict=True):
        assert own.image != public.image
        assert (own.entrypoint, own.command, own.ports) == (
            public.entrypoint,
            public.command,
            public.ports,
        )


def test_no_port_is_published_twice() -> None:
    """Each belongs to one server, and to the lab's own block."""
    published = [port for server in every(OWN) for port in server.ports]
    assert len(published) == len(set(published))
    assert set(published) <= set(LAYOUT.all())


def test_each_link_can_be_probed_and_nothing_behind_it_but_by_the_frame_proxy() -> None:
    """All proxies are published; of a node the audit and the slots, never what peers use."""
    toxiproxy, *nodes = every(OWN)[:4]
    assert {LAYOUT.proxy(link) for link in LINKS} <= set(toxiproxy.ports)
    for number, node in zip(NODES, nodes, strict=True):
        hidden = {LAYOUT.listener(number, name) for name in LISTENERS if "FROM" in name}
        assert not hidden & set(node.ports)
        assert LAYOUT.listener(number, "AUDIT") in node.ports


def test_the_name_of_every_server_leads_to_the_proxies_too() -> None:
    """Where nobody listens at those ports, so that a dead server is refused at once."""
    toxiproxy, *others = every(OWN)
    assert {server.name for server in others} <= set(toxiproxy.aliases)
    inside = {LAYOUT.upstream(link) for link in LINKS}
    assert not inside & set(toxiproxy.ports)


def test_no_password_is_in_a_command() -> None:
    """A command is seen by everybody who may list processes."""
    database = every(OWN)[4]
    passwords = {account.password for account in ACCOUNTS.values()}
    assert not any(word in part for part in database.command for word in passwords)
    assert passwords <= set(database.environment.values())


@pytest.mark.parametrize(
    ("code", "status"), [(0, 0), (1, 1), (137, -9), (139, -11), (134, -6), (143, 143), (130, 130)]
)
def test_exit_codes_of_the_engine_become_those_of_processes(code: int, status: int) -> None:
    """A kill or crash by signal is negative; a JVM's own 143 after SIGTERM stays."""
    assert as_status(code) == status


@pytest.mark.parametrize(
    ("stats", "expected"),
    [
        ({"usage": 100, "stats": {"inactive_file": 30}}, 70),
        ({"usage": 100, "stats": {"total_inactive_file": 40, "inactive_file": 1}}, 60),
        ({"usage": 10, "stats": {"inactive_file": 30}}, 0),
        ({}, 0),
    ],
)
def test_cached_files_are_no_memory_in_use(stats: dict[str, object], expected: int) -> None:
    """For both versions of cgroups, and for an engine that says nothing."""
    assert resident(stats) == expected


def test_open_connections_are_counted_by_local_port() -> None:
    """Established ones of the kernel's tables, IPv4 and IPv6; headers and listeners are not."""
    table = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 00000000:4E20 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:4E20 0100007F:8D2A 01 00000000:00000000 00:00000000 00000000     0
  sl  local_address                         remote_address                        st
   0: 0000000000000000FFFF0000020012AC:4E21 0000000000000000FFFF0000010012AC:A3C4 01 0
   1: 0000000000000000FFFF0000020012AC:4E21 0000000000000000FFFF0000010012AC:A3C5 06 0
"""
    assert open_at(table) == {0x4E20: 1, 0x4E21: 1}


@pytest.fixture
def own() -> OwnByLink:
    """Return a fresh memory of probes."""
    return OwnByLink()


def test_a_probe_is_taken_off_its_own_link_once(own: OwnByLink) -> None:
    """The next connection there is the probe; one on another link, or a second, is a client."""
    own.add(LINK, 40_000)
    other = Link(plane="client", source="slot1", target="2")
    taken = [own.took(str(link), 1) for link in (other, LINK, LINK)]
    assert taken == [False, True, False]
