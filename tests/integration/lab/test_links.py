"""Cuts and heals against a real Toxiproxy and real sockets."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from harness.clock import monotonic_s, sleep, wait_until
from harness.errors import LabError
from harness.lab.local.layout import LINKS, Layout
from harness.lab.local.links import LocalLinks
from harness.lab.local.toxiproxy import ToxiproxyApi
from harness.schedule.network import Damage, Flavour

FLAVOURS: tuple[Flavour, ...] = ("refuse", "drop", "hold")
LINK = LINKS[0]


class Echo:
    """A server that returns what it gets, and speaks first if it is told to."""

    def __init__(self, port: int) -> None:
        self.greeting_period_s = 0.0
        self._sock = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting."""
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            try:
                while self.greeting_period_s:
                    client.sendall(b"tick" * 50)
                    sleep(self.greeting_period_s)
                while data := client.recv(65_536):
                    client.sendall(data)
            except OSError:
                return


@pytest.fixture
def echo(layout: Layout) -> Iterator[Echo]:
    """Return a server behind the first link."""
    server = Echo(layout.upstream(LINK))
    yield server
    server.close()


@pytest.fixture
def client(layout: Layout, links: LocalLinks, echo: Echo) -> Iterator[socket.socket]:
    """Return a connection through the first link that has carried bytes both ways."""
    assert links.is_whole(LINK)
    assert not echo.greeting_period_s
    with connect(layout) as sock:
        yield sock


def connect(layout: Layout) -> socket.socket:
    """Open a connection through the first link and use it once."""
    sock = socket.create_connection(("127.0.0.1", layout.proxy(LINK)), timeout=2)
    sock.sendall(b"before")
    assert sock.recv(6) == b"before"
    return sock


def silent(sock: socket.socket, *, seconds: float = 0.2) -> bool:
    """Tell whether nothing comes, neither bytes nor an end."""
    sock.settimeout(seconds)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    return False


def read(sock: socket.socket, count: int) -> bytes:
    """Read exactly so many bytes."""
    sock.settimeout(2)
    data = b""
    while len(data) < count and (part := sock.recv(count - len(data))):
        data += part
    return data


def test_hold_keeps_bytes_and_delivers_them_in_order(
    client: socket.socket, links: LocalLinks
) -> None:
    """The connection survives, and not a byte is lost or moved."""
    links.cut([LINK], damage=Damage(flavour="hold"))
    sent = b"".join(b"%06d" % number for number in range(5000))
    for start in range(0, len(sent), 997):
        client.sendall(sent[start : start + 997])
    assert silent(client)
    links.heal([LINK])
    assert read(client, len(sent)) == sent


def test_hold_holds_new_connections_too(
    layout: Layout, client: socket.socket, links: LocalLinks
) -> None:
    """One that is opened during the cut is accepted, silent, and served on healing."""
    assert client
    links.cut([LINK], damage=Damage(flavour="hold"))
    with socket.create_connection(("127.0.0.1", layout.proxy(LINK)), timeout=2) as late:
        late.sendall(b"late")
        assert silent(late)
        links.heal([LINK])
        assert read(late, 4) == b"late"


def test_drop_discards_bytes_and_ends_the_connection_on_healing(
    client: socket.socket, links: LocalLinks
) -> None:
    """Silence during the cut; nothing of it arrives later."""
    links.cut([LINK], damage=Damage(flavour="drop"))
    client.sendall(b"lost")
    assert silent(client)
    links.heal([LINK])
    client.settimeout(2)
    with contextlib.suppress(ConnectionResetError):  # as good an end as FIN
        assert client.recv(10) == b""


def test_refuse_ends_connections_and_refuses_new_ones(
    layout: Layout, client: socket.socket, links: LocalLinks
) -> None:
    """The port does not listen while the cut lasts."""
    links.cut([LINK], damage=Damage(flavour="refuse"))
    client.settimeout(2)
    assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        connect(layout)
    links.heal([LINK])
    connect(layout).close()


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_link_is_whole_before_and_after_but_not_during_a_cut(
    links: LocalLinks, layout: Layout, echo: Echo, flavour: Flavour
) -> None:
    """Three times over, so that what an earlier cut left behind does not matter."""
    assert echo
    for _ in range(3):
        assert links.is_whole(LINK)
        links.cut([LINK], damage=Damage(flavour=flavour))
        assert not links.is_whole(LINK)
        links.heal([LINK])
        assert links.is_whole(LINK)
        connect(layout).close()


def test_flavours_may_lie_on_one_another(
    links: LocalLinks, layout: Layout, client: socket.socket
) -> None:
    """Healing takes all of them off."""
    assert client
    for flavour in FLAVOURS:
        links.cut([LINK], damage=Damage(flavour=flavour))
    links.heal([LINK])
    assert links.is_whole(LINK)
    connect(layout).close()


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_clients_that_hung_up_during_a_cut_do_not_delay_its_healing(
    links: LocalLinks, layout: Layout, echo: Echo, flavour: Flavour
) -> None:
    """How removing a toxic wedges Toxiproxy: many held chunks and nobody to take them."""
    echo.greeting_period_s = 0.01
    address = ("127.0.0.1", layout.proxy(LINK))
    clients = [socket.create_connection(address, timeout=2) for _ in range(3)]
    for client in clients:
        assert client.recv(4) == b"tick"
    links.cut([LINK], damage=Damage(flavour=flavour))
    sleep(0.25)
    clients[0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    for client in clients:
        client.close()
    sleep(0.05)
    began = monotonic_s()
    links.heal([LINK])
    assert monotonic_s() - began < 1.0
    with socket.create_connection(address, timeout=2) as fresh:
        assert fresh.recv(4) == b"tick"


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_ten_links_are_cut_and_healed_within_a_moment(links: LocalLinks, flavour: Flavour) -> None:
    """Generous by five against the goal of 100 ms, because the machine is shared."""
    some = LINKS[:10]
    began = monotonic_s()
    links.cut(some, damage=Damage(flavour=flavour))
    cut_s = monotonic_s() - began
    assert not any(links.is_whole(link) for link in some)
    began = monotonic_s()
    links.heal(some)
    assert (cut_s < 0.5, monotonic_s() - began < 0.5) == (True, True)


def test_traffic_counts_connections_but_not_the_harness_own(
    links: LocalLinks, layout: Layout, client: socket.socket
) -> None:
    """One open connection; one that ended; the probe of a healing is not counted."""
    assert client
    connect(layout).close()
    links.heal([LINK])

    def counts() -> tuple[int, int, int]:
        seen = links.traffic([LINK])[LINK]
        return (seen.established, seen.accepted, seen.terminated)

    wait_until(lambda: counts() == (1, 2, 1), deadline_s=2, describe="the counts", last_seen=counts)


def test_a_call_that_fails_leaves_the_state_unknown_and_healing_makes_the_proxy_anew(
    links: LocalLinks, layout: Layout, echo: Echo
) -> None:
    """A proxy that somebody deleted: the cut is an error, healing brings the link back."""
    assert echo
    ToxiproxyApi(layout.api).delete(str(LINK))
    with pytest.raises(LabError, match="not found"):
        links.cut([LINK], damage=Damage(flavour="hold"))
    links.heal([LINK])
    assert links.is_whole(LINK)
    connect(layout).close()


def test_a_server_that_does_not_answer_is_an_error_in_time() -> None:
    """A listener that never speaks stands in for a wedged server."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        api = ToxiproxyApi(mute.getsockname()[1], call_s=0.2)
        with pytest.raises(LabError, match="unknown"):
            api.enable("any", enabled=False)
