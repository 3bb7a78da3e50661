"""Something sampled in a thread of its own until it is stopped; its failure is kept, not lost."""

import threading
from collections.abc import Callable

STOP_S = 5.0


class Background:
    """Calls `body` every `period_s` seconds. An exception ends it and is kept in `failure`."""

    def __init__(self, name: str, body: Callable[[], None], *, period_s: float) -> None:
        self._body = body
        self._period_s = period_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        """Begin; the first call comes after one period."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; returns when the thread has ended, or after five seconds. Safe to call twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=STOP_S)

    def raise_failure(self) -> None:
        """Raise what ended the thread, if anything did: a blind watcher proves nothing."""
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._period_s):
                self._body()
        except Exception as failure:  # noqa: BLE001  (the top of a thread: handed to the run)
            self.failure = failure
