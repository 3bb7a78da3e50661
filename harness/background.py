"""Something sampled in a thread of its own until it is stopped; its failure is kept, not lost."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

STOP_S = 5.0


class Background:
    """Calls `body` every `period_s` seconds. Its exception is kept and raised."""

    def __init__(self, name: str, body: Callable[[], None], *, period_s: float) -> None:
        self._body = body
        self._period_s = period_s
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._running: Future[None] | None = None

    def start(self) -> None:
        """Begin; the first call comes after one period."""
        self._running = self._pool.submit(self._run)

    def stop(self) -> None:
        """Stop; returns when the thread has ended, or after five seconds. Safe to call twice."""
        self._stop.set()
        if self._running is not None:
            wait([self._running], timeout=STOP_S)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def raise_failure(self) -> None:
        """Raise what ended the thread, if anything did: a blind watcher proves nothing."""
        if self._running is not None and self._running.done():
            self._running.result()

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            self._body()
