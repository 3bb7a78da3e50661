"""How long a role lives: until SIGTERM, which it hears between two pieces of work."""

import select
import signal
import socket
import time
from types import FrameType

_BACK_OFF_S = (0.05, 0.1, 0.2, 0.4)


class Lifetime:
    """Becomes over with SIGTERM or SIGINT. Waiting ends at once when that happens."""

    def __init__(self) -> None:
        self.over = False
        self._failures = 0
        self._wake, writer = socket.socketpair()
        writer.settimeout(0)  # a wake-up descriptor must not block
        self._writer = writer
        signal.set_wakeup_fd(writer.fileno())
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self.over = True

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass, fewer if the life is over meanwhile."""
        if not self.over and seconds > 0:
            select.select([self._wake], [], [], seconds)

    def wait_until(self, at_s: float) -> None:
        """Wait for a moment of the monotonic clock."""
        self.wait(at_s - time.monotonic())

    def back_off(self) -> None:
        """Wait a little after a failure, longer after each one in a row."""
        self.wait(_BACK_OFF_S[min(self._failures, len(_BACK_OFF_S) - 1)])
        self._failures += 1

    def succeeded(self) -> None:
        """Let the next failure be the first in a row again."""
        self._failures = 0
