"""Servers of a lab as containers, each method of the protocol on a real engine."""

import signal
import socket
from collections.abc import Callable

import psycopg
import pytest

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.audit import refuses
from harness.lab.docker import engine, marks
from harness.lab.docker.container import ContainerProcess
from harness.lab.docker.ending import Holding
from harness.lab.docker.parts import Parts
from harness.lab.layout import LINKS
from harness.lab.values import Link
from harness.schedule.network import Damage, Flavour
from harness.schedule.targets import LockServiceName

LINK = Link(plane="database", source="slot1", target="database")


def serving(server: ContainerProcess) -> None:
    """Wait until a server answers."""
    wait_until(server.serves, deadline_s=30, describe=f"{server.name} to serve")


@pytest.fixture
def query(parts: Parts) -> Callable[[str], object]:
    """Return what asks the database through the proxied link of slot 1."""

    def ask(text: str) -> object:
        url = parts.database.role_url("postgres", port=parts.layout.proxy(LINK))
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(text).fetchone()
            return row and row[0]

    return ask


def test_a_role_reaches_the_database_through_its_own_link(
    query: Callable[[str], object],
) -> None:
    """Published port, proxy, database by its name in the network."""
    assert query("SELECT 1") == 1


def test_a_killed_server_keeps_what_it_has_and_says_how_it_ended(parts: Parts) -> None:
    """SIGKILL is -9; its port refuses; a new start is the same container with the same data."""
    database = parts.database
    database.create("kept")
    before = database.container.id
    database.kill()
    assert database.exit_code() == -signal.SIGKILL
    assert database.pid() is None
    assert refuses([parts.layout.postgres])
    assert database.trouble() is None
    database.start()
    serving(database)
    assert database.container.id == before
    with psycopg.connect(database.url("kept")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    database.drop("kept")


def test_a_server_that_runs_is_not_started_twice(parts: Parts) -> None:
    """It is an error that says so."""
    with pytest.raises(LabError, match="the database runs already"):
        parts.database.start()


def test_an_end_in_good_order_is_told_from_a_death(parts: Parts) -> None:
    """Status 0 after the signal that asks for it, and no trouble."""
    database = parts.database
    database.terminate()
    wait_until(lambda: database.pid() is None, deadline_s=15, describe="its end")
    assert database.exit_code() == 0
    assert database.trouble() is None
    database.start()
    serving(database)


def test_a_death_that_nobody_asked_for_is_told(parts: Parts) -> None:
    """By its status and the last line that it wrote."""
    database = parts.database
    database.container.kill()
    wait_until(lambda: database.pid() is None, deadline_s=15, describe="its end")
    assert "the database died unasked with status -9" in (database.trouble() or "")
    database.start()
    serving(database)
    assert database.trouble() is None


def test_a_paused_server_is_silent_and_goes_on_where_it_was(parts: Parts) -> None:
    """The same process, which answers nothing meanwhile; it can be killed as it is."""
    database = parts.database
    pid = database.pid()
    database.pause()
    assert database.pid() == pid
    assert not database.serves()
    database.resume()
    database.resume()  # no error when it is not paused
    serving(database)
    assert database.pid() == pid
    database.pause()
    database.kill()
    assert database.exit_code() == -signal.SIGKILL
    database.resume()  # no error when it does not run
    database.start()
    serving(database)


def test_a_dead_server_is_refused_at_once_behind_its_link(
    parts: Parts, query: Callable[[str], object]
) -> None:
    """No name server of the world outside is asked for it: the client hears within a second."""
    parts.database.kill()
    try:
        assert not parts.links.answers(LINK)
        with socket.create_connection(("127.0.0.1", parts.layout.proxy(LINK)), timeout=1) as sock:
            sock.sendall(b"x" * 8)
            assert sock.recv(1) == b""
    finally:
        parts.database.start()
        serving(parts.database)
    assert query("SELECT 2") == 2


@pytest.mark.parametrize("flavour", ["refuse", "hold", "drop", "reset"])
def test_a_link_is_cut_and_healed(
    parts: Parts, query: Callable[[str], object], flavour: Flavour
) -> None:
    """It answers nothing while it is cut, and everything afterwards."""
    damage = Damage(flavour=flavour)
    parts.links.cut([LINK], damage=damage)
    assert not parts.links.answers(LINK)
    parts.links.heal([LINK])
    assert parts.links.is_whole(LINK)
    assert query("SELECT 3") == 3


def test_connections_and_bytes_of_a_link_are_seen(parts: Parts) -> None:
    """An open connection, what it carried, and its end; the harness's own probes do not count."""
    before = parts.links.traffic([LINK])[LINK]
    assert parts.links.answers(LINK)
    url = parts.database.role_url("postgres", port=parts.layout.proxy(LINK))
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
        seen = parts.links.traffic([LINK])[LINK]
        assert seen.established == before.established + 1
        by_table = parts.sight.open_ports()[parts.layout.proxy(LINK)]
        assert by_table == seen.established
        if seen.asked_bytes is not None and before.asked_bytes is not None:
            assert seen.asked_bytes > before.asked_bytes
    wait_until(
        lambda: parts.links.traffic([LINK])[LINK].accepted == before.accepted + 1,
        deadline_s=5,
        describe="one connection to be counted",
        last_seen=lambda: (before, parts.links.traffic([LINK])[LINK]),
    )


def test_the_table_of_connections_is_the_same_by_every_way(parts: Parts) -> None:
    """As root of this machine, as anybody on it, and by a container beside the proxies."""
    url = parts.database.role_url("postgres", port=parts.layout.proxy(LINK))
    with psycopg.connect(url):
        port = parts.layout.proxy(LINK)
        seen = parts.links.traffic([LINK])[LINK].established
        assert parts.sight.open_ports()[port] == seen
        assert parts.sight.by_container()[port] == seen


def test_ports_are_published_on_loopback_only(parts: Parts) -> None:
    """Nobody on the network reaches a server of a lab."""
    for server in (parts.toxiproxy, parts.database):
        server.container.reload()
        published = server.container.attrs["NetworkSettings"]["Ports"].values()
        hosts = {each["HostIp"] for ends in published for each in ends or ()}
        assert hosts == {"127.0.0.1"}


def test_all_links_have_a_proxy_that_can_be_probed(parts: Parts) -> None:
    """Those between nodes too: their ports are published for the harness alone."""
    for link in LINKS:
        assert parts.links.is_whole(link)


@pytest.mark.parametrize("name", ["redis", "zookeeper"])
def test_a_lock_service_is_started_when_it_is_asked_for(
    parts: Parts, name: LockServiceName
) -> None:
    """It keeps a space over a SIGKILL, and roles reach it through their own link."""
    server = parts.lock_services.get(name)
    server.create("run_a")
    server.kill()
    server.start()
    serving(server)
    link = Link(plane="coordination", source="slot2", target=name)
    assert parts.links.answers(link)
    server.drop("run_a")
    server.drop("run_a")  # no error for one that is gone
    assert parts.lock_services.get(name) is server


def test_everything_in_the_engine_bears_the_name_of_its_lab(parts: Parts, holding: Holding) -> None:
    """Its containers and its network, and so they can be found by it alone."""
    client = engine.connect()
    wanted = {"label": marks.label(holding.folder.name)}
    names = {each.name for each in client.containers.list(all=True, filters=wanted)}
    assert {parts.toxiproxy.container.name, parts.database.container.name} <= names
    (network,) = client.networks.list(filters=wanted)
    assert network.attrs["Labels"][marks.OWNER] == marks.owner()
    client.close()


def test_memory_is_told_of_what_runs(parts: Parts) -> None:
    """A database of some megabytes."""
    assert parts.database.memory_bytes() > 1_000_000
