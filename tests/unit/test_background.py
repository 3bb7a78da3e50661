"""A sampler in a thread: it samples, it stops, and its failure reaches whoever asks."""

import subprocess
import sys
import threading

import pytest

from harness.background import Background


def test_it_calls_its_body_until_it_is_stopped() -> None:
    """After stop() nothing is called any more."""
    calls: list[int] = []
    thrice = threading.Event()

    def body() -> None:
        calls.append(1)
        if len(calls) == 3:
            thrice.set()

    sampler = Background("test", body, period_s=0.001)
    sampler.start()
    assert thrice.wait(5)
    sampler.stop()
    seen = len(calls)
    assert not threading.Event().wait(0.02)
    assert len(calls) == seen
    sampler.raise_failure()


def test_a_failure_is_raised_to_whoever_asks() -> None:
    """A watcher that died cannot be mistaken for one that saw nothing."""
    failed = threading.Event()

    def body() -> None:
        failed.set()
        raise OSError("no space left")

    sampler = Background("test", body, period_s=0.001)
    sampler.start()
    assert failed.wait(5)
    sampler.stop()
    for _ in range(2):
        with pytest.raises(OSError, match="no space left"):
            sampler.raise_failure()


def test_one_that_nobody_stops_does_not_hold_up_the_end() -> None:
    """Ctrl-C may come between the end of a run and the stopping of its watchers."""
    script = (
        "from harness.background import Background\n"
        "Background('test', lambda: None, period_s=0.01).start()\n"
    )
    ended = subprocess.run([sys.executable, "-c", script], timeout=30, check=False)
    assert ended.returncode == 0
