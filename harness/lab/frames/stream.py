"""One direction of a proxied connection: frames in order, some of which wait.

What arrived is sent on in the order in which it came; a frame that waits stops all behind it, and
nothing on other connections. The end of a direction is told only when everything before it has
passed, so that a frame whose sender hung up still arrives when it is let go: that is what a slow
network does, and what the rarest races need.
"""

import socket
from collections import deque
from dataclasses import dataclass
from itertools import islice

from harness.clock import monotonic_s
from harness.lab.frames.rules import ArmedRule, Catch, Fate

PENDING_BYTES = 8 * 2**20
"""More is not read from the sender before some of it has passed."""
_AT_ONCE = 64


@dataclass(slots=True)
class _Item:
    data: bytes
    catch: Catch | None
    because: ArmedRule | None
    """The rule that it waits for, whether it was caught or came behind."""


class Stream:
    """Sends what it is given to `target`, in order, as far as rules and the target let it."""

    def __init__(self, target: socket.socket) -> None:
        self.source_ended = False
        self.ended = False
        """Nothing will be sent any more: everything passed and the end was told, or the target
        is gone."""
        self.pending_bytes = 0
        self._target = target
        self._items: deque[_Item] = deque()
        self._catches = 0
        self._sent_of_first = 0

    def put(self, data: bytes, catch: Catch | None = None) -> None:
        """Take a frame, or a part of one, to be sent after everything before it."""
        if self.ended:
            if catch is not None:
                catch.settle("gone")
            return
        because = catch.rule if catch is not None else self._stopped_by()
        if because is not None:
            because.waiting += 1
            because.behind += catch is None
        self._items.append(_Item(data, catch, because))
        self._catches += catch is not None
        self.pending_bytes += len(data)

    def blocked_until_s(self) -> float | None:
        """Return when the first frame may pass: 0.0 for now, None for not before a release."""
        if not self._items or (catch := self._items[0].catch) is None:
            return 0.0
        due_s = catch.due_s()
        return 0.0 if due_s is not None and due_s <= monotonic_s() else due_s

    def has_work(self) -> bool:
        """Tell whether something could be sent at this moment, if the target took it."""
        return bool(self._items) and not self.ended and self.blocked_until_s() == 0.0

    def wants_more(self) -> bool:
        """Tell whether the sender may be read from."""
        return not self.source_ended and self.pending_bytes < PENDING_BYTES

    def flush(self) -> bool:
        """Send what may pass now; return True if the connection is to be closed in its place."""
        while self.has_work():
            catch = self._items[0].catch
            if catch is not None and catch.rule.in_force and catch.rule.rule.act == "close":
                catch.settle("closed")
                return True
            if not self._send():
                return False
        if self.source_ended and not self._items and not self.ended:
            self._tell_end()
        return False

    def abandon(self) -> None:
        """Give up what was not sent: the target is gone."""
        self.ended = True
        while self._items:
            self._leave("gone")
        self.pending_bytes = 0

    def _send(self) -> bool:
        """Send what stands first, up to the next frame that waits; False if no more is taken."""
        chunk = self._sendable()
        try:
            taken = self._target.sendmsg(chunk)
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            self.abandon()
            return False
        whole = sum(map(len, chunk)) == taken
        self._take(taken)
        return whole

    def _sendable(self) -> list[bytes | memoryview]:
        first = self._items[0].data
        chunk: list[bytes | memoryview] = [memoryview(first)[self._sent_of_first :]]
        for item in islice(self._items, 1, _AT_ONCE):
            if item.catch is not None:
                break  # it is looked at when it stands first
            chunk.append(item.data)
        return chunk

    def _take(self, taken: int) -> None:
        self.pending_bytes -= taken
        self._sent_of_first += taken
        while self._items and self._sent_of_first >= len(self._items[0].data):
            self._sent_of_first -= len(self._items[0].data)
            self._leave("passed")

    def _leave(self, fate: Fate) -> None:
        item = self._items.popleft()
        if item.because is not None:
            item.because.waiting -= 1
        if item.catch is not None:
            self._catches -= 1
            item.catch.settle(fate)

    def _stopped_by(self) -> ArmedRule | None:
        """Return the rule that stops everything that comes now, if one does."""
        if not self._catches:
            return None
        caught = (item.catch for item in self._items if item.catch is not None)
        return next((catch.rule for catch in caught if catch.due_s() != 0.0), None)

    def _tell_end(self) -> None:
        self.ended = True
        try:
            self._target.shutdown(socket.SHUT_WR)
        except OSError:
            return  # it is gone already
