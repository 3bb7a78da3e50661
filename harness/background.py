"""Something sampled in a thread of its own until it is stopped; its failure is kept, not lost."""

import threading
from collections.abc import Callable

STOP_S = 5.0


class Background:
    """Calls `body` every `period_s` seconds. Its exception is kept and raised.

    One that is never stopped (a Ctrl-C may see to that) does not hold up the end of the process.
    """

    def __init__(self, name: str, body: Callable[[], None], *, period_s: float) -> None:
        self._body = body
        self._period_s = period_s
        self._stop = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first call comes after one period."""
        self._thread.start()

    def stop(self) -> None:
        """Stop; returns when the thread has ended, or after five seconds. Safe to call twice."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def raise_failure(self) -> None:
        """Raise what ended the thread, if anything did: a blind watcher proves nothing."""
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            while not self._stop.wait(self._period_s):
                self._body()
        except BaseException as error:  # noqa: BLE001  # top of a thread: raise_failure tells it
            self._failure = error
