"""The frame proxy as a real process, between real sockets: what it does to single frames."""

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from harness.clock import monotonic_s, sleep, wait_until
from harness.errors import LabError
from harness.lab.frames.connection import Detour
from harness.lab.frames.control import FrameControl
from harness.lab.frames.rules import FrameRule, FrameSighting
from harness.lab.layout import CLIENT_LINKS, Layout

PRODUCE, METADATA, END_TXN = 0, 3, 26
NODE, SLOT = 1, 1
RULE = FrameRule(slot=SLOT, nodes=(NODE,), api_key=PRODUCE)
QUIET_S = 0.15
PATIENCE_S = 15.0


def exactly(sock: socket.socket, count: int) -> bytes:
    """Return so many bytes, or nothing at the end of the connection."""
    read = bytearray()
    while len(read) < count:
        more = sock.recv(count - len(read))
        if not more:
            return b""
        read += more
    return bytes(read)


class Node:
    """Answers each request by its correlation id, and remembers what came and in which order."""

    def __init__(self, port: int) -> None:
        self.seen: list[int] = []
        self.ends = 0
        self._sock = socket.create_server(("127.0.0.1", port))
        self._clients: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop, and close what is open."""
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self.drop_clients()

    def drop_clients(self) -> None:
        """Close every connection, as a dying node does."""
        for client in self._clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._sock.accept()
            except OSError:
                return
            self._clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            while header := exactly(client, 4):
                (length,) = struct.unpack(">i", header)
                if not 8 <= length <= 1_000_000:
                    client.sendall(b"?")
                    continue
                body = exactly(client, length)
                _, _, number = struct.unpack_from(">hhi", body)
                self.seen.append(number)
                client.sendall(struct.pack(">ii", 4 + len(body) - 8, number) + body[8:])
        self.ends += 1


class Client:
    """One connection to the node through the proxy."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)

    def send(self, number: int, *, api_key: int = PRODUCE, body: bytes = b"body") -> None:
        """Send one request."""
        header = struct.pack(">ihhi", 8 + len(body), api_key, 9, number)
        self.sock.sendall(header + body)

    def answer(self) -> int | None:
        """Return the correlation id of the next answer; None at the end of the connection."""
        header = exactly(self.sock, 8)
        if not header:
            return None
        length, number = struct.unpack(">ii", header)
        exactly(self.sock, length - 4)
        return int(number)

    def answers(self, count: int) -> list[int | None]:
        """Return the correlation ids of the next answers."""
        return [self.answer() for _ in range(count)]

    def is_silent(self) -> bool:
        """Tell whether nothing comes for a while."""
        self.sock.settimeout(QUIET_S)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) is None
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(PATIENCE_S)


@pytest.fixture
def control(layout: Layout) -> Iterator[FrameControl]:
    """Return the control of a proxy that leads the first client link to the node."""
    argv = [sys.executable, "-I", "-m", "harness.lab.frames", str(layout.frames)]
    process = subprocess.Popen(argv, cwd="/")
    try:
        control = FrameControl(layout.frames, start_s=PATIENCE_S)
        link = CLIENT_LINKS[0]
        control.open(
            Detour(listen=layout.detour(link), upstream=layout.upstream(link), slot=SLOT, node=NODE)
        )
        yield control
        control.hang_up()
        assert process.wait(timeout=PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def node(layout: Layout) -> Iterator[Node]:
    """Return the node behind the link."""
    node = Node(layout.upstream(CLIENT_LINKS[0]))
    yield node
    node.close()


@pytest.fixture
def connect(layout: Layout, control: FrameControl, node: Node) -> Iterator[Callable[[], Client]]:
    """Return what makes a connection through the proxy."""
    assert control is not None
    assert node.seen == []
    clients: list[Client] = []

    def make() -> Client:
        clients.append(Client(layout.detour(CLIENT_LINKS[0])))
        return clients[-1]

    yield make
    for client in clients:
        client.sock.close()


def await_sighting(
    control: FrameControl, number: int, condition: Callable[[FrameSighting], bool]
) -> FrameSighting:
    """Return what a rule saw once it is so."""
    wait_until(
        lambda: condition(control.look(number)),
        deadline_s=PATIENCE_S,
        describe="the rule to have seen that",
        last_seen=lambda: control.look(number),
    )
    return control.look(number)


def test_without_a_rule_everything_passes_in_order(connect: Callable[[], Client]) -> None:
    """Many requests in one write, megabytes among them."""
    client = connect()
    for number in range(200):
        client.send(number, body=b"x" * (1_000 if number % 50 else 900_000))
    assert client.answers(200) == list(range(200))


def test_a_held_request_stops_its_connection_and_no_other(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """What is behind it waits, another connection passes, and on release all come in order."""
    first, second = connect(), connect()
    number = control.arm(replace(RULE, nth=2))
    first.send(1)
    assert first.answer() == 1
    first.send(2)
    first.send(3)
    first.send(4, api_key=METADATA)
    sighting = await_sighting(control, number, lambda seen: seen.waiting == 3)
    second.send(5)
    assert second.answer() == 5
    assert first.is_silent()
    assert node.seen == [1, 5]
    (caught,) = sighting.caught
    assert (caught.number, caught.correlation_id, caught.size_bytes) == (2, 2, 16)
    assert (caught.fate, sighting.behind, sighting.in_force) == ("waits", 2, True)
    control.release(number)
    assert first.answers(3) == [2, 3, 4]
    after = control.look(number)
    assert (after.in_force, after.waiting, after.caught[0].fate) == (False, 0, "passed")
    assert after.caught[0].waited_ms >= QUIET_S * 1000
    assert after.seen == 4


def test_a_held_request_arrives_though_its_sender_hung_up(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """A time-out at the client takes nothing back that is on its way."""
    client = connect()
    number = control.arm(RULE)
    client.send(1)
    client.send(2)
    await_sighting(control, number, lambda seen: seen.waiting == 2)
    client.sock.close()
    sleep(QUIET_S)
    assert (node.seen, node.ends) == ([], 0)
    control.release(number)
    wait_until(
        lambda: node.ends == 1, deadline_s=PATIENCE_S, describe="the end to come behind them"
    )
    assert node.seen == [1, 2]


def test_a_held_answer_was_given_and_is_not_heard(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """The node has done its work; of answers to other requests only those behind it wait."""
    client = connect()
    number = control.arm(replace(RULE, part="answer"))
    client.send(1, api_key=METADATA)
    client.send(2)
    client.send(3, api_key=METADATA)
    assert client.answer() == 1
    sighting = await_sighting(control, number, lambda seen: seen.waiting == 2)
    assert client.is_silent()
    assert node.seen == [1, 2, 3]
    assert (sighting.seen, sighting.caught[0].correlation_id) == (1, 2)
    control.release(number)
    assert client.answers(2) == [2, 3]


def test_a_dropped_request_never_comes_and_the_next_is_answered(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """Only that frame vanishes; the connection goes on."""
    client = connect()
    number = control.arm(replace(RULE, act="drop"))
    client.send(1)
    client.send(2)
    assert client.answer() == 2
    assert node.seen == [2]
    sighting = control.look(number)
    assert [caught.fate for caught in sighting.caught] == ["dropped"]
    assert (sighting.seen, sighting.waiting) == (2, 0)


def test_every_answer_dropped_leaves_the_work_done(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """Without a count all are caught, until the release."""
    client = connect()
    number = control.arm(replace(RULE, part="answer", act="drop", count=None))
    for each in (1, 2, 3):
        client.send(each)
    await_sighting(control, number, lambda seen: seen.caught_count == 3)
    assert client.is_silent()
    assert node.seen == [1, 2, 3]
    control.release(number)
    client.send(4)
    assert client.answer() == 4


def test_a_delayed_request_comes_later_and_so_does_what_is_behind_it(
    connect: Callable[[], Client], control: FrameControl
) -> None:
    """Not sooner than asked for; the rule stays in force and says how long it was."""
    client = connect()
    number = control.arm(replace(RULE, act="delay", delay_ms=300))
    began = monotonic_s()
    client.send(1)
    client.send(2)
    assert client.answers(2) == [1, 2]
    assert monotonic_s() - began >= 0.3
    sighting = control.look(number)
    assert (sighting.caught[0].fate, sighting.behind) == ("passed", 1)
    assert sighting.caught[0].waited_ms >= 300


def test_a_delay_ends_with_its_rule(connect: Callable[[], Client], control: FrameControl) -> None:
    """Healing does not wait a minute for a frame that was to be a minute late."""
    client = connect()
    number = control.arm(replace(RULE, act="delay", delay_ms=60_000))
    client.send(1)
    await_sighting(control, number, lambda seen: seen.waiting == 1)
    control.release(number)
    assert client.answer() == 1


def test_a_connection_is_closed_in_place_of_a_request(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """What was before it has arrived; it, and what is behind it, has not."""
    client, other = connect(), connect()
    number = control.arm(replace(RULE, act="close", nth=2))
    client.send(1)
    assert client.answer() == 1
    client.send(2)
    assert client.answer() is None
    other.send(3)
    assert other.answer() == 3
    assert node.seen == [1, 3]
    assert control.look(number).caught[0].fate == "closed"


def test_a_node_that_dies_takes_held_requests_with_it(
    connect: Callable[[], Client], control: FrameControl, node: Node
) -> None:
    """The client learns of the end at once; on release the frame is told as gone."""
    client = connect()
    client.send(1, api_key=METADATA)
    assert client.answer() == 1
    number = control.arm(RULE)
    client.send(2)
    await_sighting(control, number, lambda seen: seen.waiting == 1)
    node.drop_clients()
    assert client.answer() is None
    client.sock.close()
    control.release(number)
    sighting = await_sighting(control, number, lambda seen: seen.waiting == 0)
    assert sighting.caught[0].fate in ("gone", "passed")  # the kernel may still have taken it
    assert node.seen == [1]


def test_a_connection_that_speaks_no_kafka_passes_untouched(
    connect: Callable[[], Client], control: FrameControl
) -> None:
    """Its bytes come through, and the rule says that it is blind there, and why."""
    client = connect()
    number = control.arm(replace(RULE, act="drop", count=None))
    client.sock.sendall(b"\xff\xff\xff\xff")
    assert client.sock.recv(1) == b"?"
    client.send(1)
    assert client.answer() == 1
    sighting = control.look(number)
    assert sighting.opaque == ("a length of -1 bytes, not 8 to 100 MiB",)
    assert sighting.seen == 0


def test_a_link_without_its_node_is_closed(layout: Layout, control: FrameControl) -> None:
    """As Toxiproxy does: accepted, then closed."""
    assert control is not None
    client = Client(layout.detour(CLIENT_LINKS[0]))
    assert client.answer() is None
    client.sock.close()


def test_the_end_of_a_run_ends_rules_connections_and_listeners(
    connect: Callable[[], Client], control: FrameControl, layout: Layout
) -> None:
    """What waits is gone with them, and a number of an old rule is an error."""
    client = connect()
    number = control.arm(RULE)
    client.send(1)
    await_sighting(control, number, lambda seen: seen.waiting == 1)
    control.close_all()
    assert client.answer() is None
    with pytest.raises(ConnectionRefusedError):
        connect()
    with pytest.raises(LabError, match="no such rule"):
        control.look(number)
    assert layout.detour(CLIENT_LINKS[0]) in range(layout.base, layout.base + 200)


def test_a_proxy_that_is_gone_is_an_error_that_says_so(layout: Layout) -> None:
    """Not a hang, and not a rule that was silently not armed."""
    argv = [sys.executable, "-I", "-m", "harness.lab.frames", str(layout.frames)]
    process = subprocess.Popen(argv, cwd="/", env={**os.environ})
    control = FrameControl(layout.frames, start_s=PATIENCE_S)
    process.kill()
    process.wait()
    with pytest.raises(LabError, match="The frame proxy did not arm"):
        control.arm(RULE)
    control.hang_up()
