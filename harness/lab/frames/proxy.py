"""The frame proxy's one loop: listeners, connections, delays, and the harness's own wishes.

One thread, so that "the nth frame over all connections" is one count and nothing needs a lock.
"""

import json
import selectors
import socket
from typing import Any

from harness.clock import monotonic_s
from harness.lab.frames.connection import Connection, Detour
from harness.lab.frames.rules import ArmedRule, FrameRule, as_json

_BACKLOG = 128


class FrameProxy:
    """Serves until the control connection ends: with it the harness has ended."""

    def __init__(self, control_port: int) -> None:
        self._selector = selectors.DefaultSelector()
        self._listeners: dict[int, socket.socket] = {}
        self._connections: set[Connection] = set()
        self._numbered = 0
        self._rules: dict[int, ArmedRule] = {}
        self._in_force: list[ArmedRule] = []
        self._words = b""
        with _listener(control_port) as door:
            self._control, _ = door.accept()  # the harness, and nobody after it
        self._selector.register(self._control, selectors.EVENT_READ)

    def serve(self) -> None:
        """Go round until the harness is gone."""
        while True:
            for key, events in self._selector.select(self._until_next_s()):
                if key.fileobj is self._control:
                    if not self._obey():
                        return
                elif isinstance(key.data, Detour):
                    self._accept(key.data)
                elif not key.data.closed:
                    key.data.on_ready(key.fileobj, events)
                    self._forget_closed(key.data)
            self._let_pass()

    def _accept(self, detour: Detour) -> None:
        listener = self._listeners.get(detour.listen)
        if listener is None:
            return  # closed in this very round
        try:
            client, _ = listener.accept()
        except OSError:
            return  # it gave up between the two calls
        self._numbered += 1
        self._connections.add(
            Connection(
                client,
                number=self._numbered,
                detour=detour,
                rules=self._in_force,
                selector=self._selector,
            )
        )

    def _until_next_s(self) -> float | None:
        """Return how long to sleep at most: until the first delayed frame may pass."""
        if not self._in_force:
            return None
        moments = [connection.blocked_until_s() for connection in self._connections]
        first = min((moment for moment in moments if moment is not None), default=None)
        return None if first is None else max(0.0, first - monotonic_s())

    def _let_pass(self) -> None:
        """Send delayed frames whose time has come."""
        if not any(rule.rule.act == "delay" for rule in self._in_force):
            return
        for connection in tuple(self._connections):
            connection.go_on()
            self._forget_closed(connection)

    def _forget_closed(self, connection: Connection) -> None:
        if connection.closed:
            self._connections.discard(connection)

    def _obey(self) -> bool:
        """Do what the harness asks for, a JSON line each; False when it is gone."""
        try:
            said = self._control.recv(65_536)
        except OSError:
            return False
        self._words += said
        *lines, self._words = self._words.split(b"\n")
        for line in lines:
            answer = self._do(json.loads(line))
            self._control.sendall(json.dumps(answer).encode() + b"\n")
        return bool(said)

    def _do(self, wish: dict[str, Any]) -> dict[str, Any]:
        match wish:
            case {"do": "open", "detour": fields}:
                return self._open(Detour(**fields))
            case {"do": "close"}:
                return self._close_all()
            case {"do": "arm", "rule": fields}:
                return self._arm(FrameRule.from_json(fields))
            case {"do": "look", "number": number} if number in self._rules:
                return self._look(self._rules[number])
            case {"do": "release", "number": number} if number in self._rules:
                return self._release(self._rules[number])
        return {"error": f"there is no such wish, or no such rule: {wish}"}

    def _open(self, detour: Detour) -> dict[str, Any]:
        if detour.listen in self._listeners:
            return {}
        try:
            listener = _listener(detour.listen, host=detour.listen_host)
        except OSError as error:
            return {"error": f"port {detour.listen} cannot be listened at: {error}"}
        self._listeners[detour.listen] = listener
        self._selector.register(listener, selectors.EVENT_READ, detour)
        return {}

    def _close_all(self) -> dict[str, Any]:
        """End every detour, connection and rule: the run is over."""
        for rule in self._in_force:
            rule.in_force = False
        self._in_force.clear()
        self._rules.clear()
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        for listener in self._listeners.values():
            self._selector.unregister(listener)
            listener.close()
        self._listeners.clear()
        return {}

    def _arm(self, rule: FrameRule) -> dict[str, Any]:
        number = len(self._rules)
        self._rules[number] = armed = ArmedRule(rule)
        self._in_force.append(armed)
        return {"number": number}

    def _release(self, rule: ArmedRule) -> dict[str, Any]:
        """Let everything go that waits for the rule, in order on each connection."""
        rule.in_force = False
        if rule in self._in_force:
            self._in_force.remove(rule)
        for connection in tuple(self._connections):
            connection.go_on()
            self._forget_closed(connection)
        return self._look(rule)

    def _look(self, rule: ArmedRule) -> dict[str, Any]:
        opaque = tuple(
            connection.garbage
            for connection in self._connections
            if connection.garbage is not None
            and rule.concerns(slot=connection.detour.slot, node=connection.detour.node)
        )
        return {"sighting": as_json(rule.sighting(opaque))}


def _listener(port: int, *, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_server((host, port), backlog=_BACKLOG)
