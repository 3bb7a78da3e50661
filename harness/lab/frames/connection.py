"""One client's connection to one node, led through the proxy: two streams and their sockets."""

import selectors
import socket
from collections.abc import Iterable
from dataclasses import dataclass

from harness.lab.frames.codec import Conversation, Frame, Part
from harness.lab.frames.rules import ArmedRule, Catch
from harness.lab.frames.stream import Stream

READ_BYTES = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Detour:
    """One link that is led through the proxy."""

    listen: int
    upstream: int
    slot: int
    node: int
    listen_host: str = "127.0.0.1"


class Connection:
    """Moves frames between a client and a node, past the rules that are armed."""

    def __init__(
        self,
        client: socket.socket,
        *,
        number: int,
        detour: Detour,
        rules: Iterable[ArmedRule],
        selector: selectors.BaseSelector,
    ) -> None:
        """Begin to connect to the node; `rules` is looked at anew for each frame."""
        self.number = number
        self.closed = False
        self._detour = detour
        self._rules = rules
        self._selector = selector
        self._client = client
        self._node = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._conversation = Conversation()
        self._connected = False
        self._streams: dict[Part, Stream] = {
            "request": Stream(self._node),
            "answer": Stream(client),
        }
        self._interest = {client: 0, self._node: 0}
        for sock in (client, self._node):
            sock.setblocking(False)  # noqa: FBT003  # that is the name of the call
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._node.connect_ex(("127.0.0.1", detour.upstream))
        self._watch()

    @property
    def detour(self) -> Detour:
        """The link that it belongs to."""
        return self._detour

    @property
    def garbage(self) -> str | None:
        """Say why no frames are seen on it any more, if that is so: its bytes pass untouched."""
        return self._conversation.garbage

    def blocked_until_s(self) -> float | None:
        """Return the next moment at which a delayed frame may pass; None if there is none."""
        moments = (stream.blocked_until_s() for stream in self._streams.values())
        return min((moment for moment in moments if moment), default=None)

    def on_ready(self, sock: socket.socket, events: int) -> None:
        """Go on with what a socket is ready for."""
        if sock is self._node and not self._connected:
            if self._node.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self.close()  # nobody listens: the node is dead
                return
            self._connected = True
        elif events & selectors.EVENT_READ:
            self._read(sock)
        self.go_on()

    def go_on(self) -> None:
        """Send what may pass now; called when a socket is ready, and when a rule let go."""
        if self.closed:
            return
        streams = self._streams.values()
        if self._connected and (
            any(stream.flush() for stream in streams) or all(one.ended for one in streams)
        ):
            self.close()
        else:
            self._watch()

    def close(self) -> None:
        """Close both sides at once; what waits is gone."""
        if self.closed:
            return
        self.closed = True
        for stream in self._streams.values():
            stream.abandon()
        for sock, interest in self._interest.items():
            if interest:
                self._selector.unregister(sock)
            sock.close()

    def _read(self, sock: socket.socket) -> None:
        part: Part = "request" if sock is self._client else "answer"
        stream = self._streams[part]
        try:
            data = sock.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            # Reset: what came before stays on its way, what is on the way to it is lost.
            self._streams["answer" if part == "request" else "request"].abandon()
            data = b""
        if not data:
            self._put_rest(part)
            stream.source_ended = True
            return
        for frame in self._conversation.read(part, data):
            catch = self._meet(frame, part)
            if catch is not None and catch.rule.rule.act == "drop":
                catch.settle("dropped")
                continue
            if part == "request":
                self._conversation.passed(frame)
            stream.put(frame.data, catch)
        if self._conversation.garbage is not None:
            self._put_rest("answer" if part == "request" else "request")

    def _put_rest(self, part: Part) -> None:
        """Send on what was kept back of a frame that will never be whole."""
        if rest := self._conversation.rest(part):
            self._streams[part].put(rest)

    def _meet(self, frame: Frame, part: Part) -> Catch | None:
        """Let every rule count the frame; the one that was armed first has it."""
        caught: Catch | None = None
        for rule in self._rules:
            catch = rule.meet(
                frame,
                part=part,
                slot=self._detour.slot,
                node=self._detour.node,
                connection=self.number,
                free=caught is None,
            )
            caught = caught or catch
        return caught

    def _watch(self) -> None:
        """Wait for exactly what can be gone on with."""
        requests, answers = self._streams["request"], self._streams["answer"]
        to_node = requests.has_work() or not self._connected
        self._register(self._client, read=requests.wants_more(), write=answers.has_work())
        reads = self._connected and answers.wants_more()
        self._register(self._node, read=reads, write=to_node)

    def _register(self, sock: socket.socket, *, read: bool, write: bool) -> None:
        interest = selectors.EVENT_READ * read | selectors.EVENT_WRITE * write
        before = self._interest[sock]
        if interest == before:
            return
        self._interest[sock] = interest
        if not interest:
            self._selector.unregister(sock)
        elif not before:
            self._selector.register(sock, interest, self)
        else:
            self._selector.modify(sock, interest, self)
