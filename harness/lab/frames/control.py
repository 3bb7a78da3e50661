"""The harness's side of the control connection: every call is bounded, and its answer checked."""

import json
import socket
import threading
from dataclasses import asdict
from typing import Any

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.frames.connection import Detour
from harness.lab.frames.rules import FrameRule, FrameSighting, as_json

CALL_S = 2.0


class FrameControl:
    """Tells one frame proxy what to do. LabError when it does not answer, or refuses."""

    def __init__(self, port: int, *, start_s: float) -> None:
        """Connect to a proxy that is just starting."""
        self._lock = threading.Lock()
        self._words = b""
        self._socket = wait_until(
            lambda: _connect(port),
            deadline_s=start_s,
            describe="the frame proxy to answer",
            poll_s=0.01,
        )

    def open(self, detour: Detour) -> None:
        """Have it listen for a link; no error if it does already."""
        self._call({"do": "open", "detour": asdict(detour)})

    def close_all(self) -> None:
        """Have it end every detour, connection and rule."""
        self._call({"do": "close"})

    def arm(self, rule: FrameRule) -> int:
        """Put a rule into force; return its number."""
        return int(self._call({"do": "arm", "rule": as_json(rule)})["number"])

    def look(self, number: int) -> FrameSighting:
        """Return what a rule saw and did so far."""
        return FrameSighting.from_json(self._call({"do": "look", "number": number})["sighting"])

    def release(self, number: int) -> None:
        """Take a rule out of force; what it held goes on its way in order."""
        self._call({"do": "release", "number": number})

    def hang_up(self) -> None:
        """Close the connection: the proxy ends by itself."""
        self._socket.close()

    def _call(self, wish: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            try:
                self._socket.sendall(json.dumps(wish).encode() + b"\n")
                answer = json.loads(self._line())
            except OSError as error:
                raise LabError(
                    f"The frame proxy did not {wish['do']}: {error}",
                    remedy="the run cannot be judged; the lab must be started anew",
                ) from error
        if "error" in answer:
            raise LabError(f"The frame proxy did not {wish['do']}: {answer['error']}")
        return dict(answer)

    def _line(self) -> bytes:
        while b"\n" not in self._words:
            more = self._socket.recv(65_536)
            if not more:
                raise ConnectionResetError("it is gone")
            self._words += more
        line, _, self._words = self._words.partition(b"\n")
        return line


def _connect(port: int) -> socket.socket | None:
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=CALL_S)
    except ConnectionRefusedError:
        return None
