"""The library for wrong clocks, built for real: the wall clock is wrong and nothing else is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.clock import monotonic_s, now_us
from harness.errors import ProvisionError
from harness.provision import skew

pytestmark = pytest.mark.skipif(not skew.possible(), reason="clocks are set wrong on Linux only")
CLIENTS = """
import time
from confluent_kafka import Consumer, Producer
began = time.monotonic()
told = []
producer = Producer({"bootstrap.servers": "127.0.0.1:1", "message.timeout.ms": 300, "log_level": 0})
producer.produce("x", b"y", on_delivery=lambda error, _: told.append(error))
producer.flush(10)
consumer = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
consumer.subscribe(["x"])
consumer.poll(0.2)
consumer.close()
assert len(told) == 1, told
print(time.monotonic() - began, time.time(), began)
"""


@pytest.mark.parametrize("by_s", [7200, -7200])
def test_a_kafka_client_waits_as_long_as_ever_under_a_wrong_clock(by_s: int) -> None:
    """Its time-outs pass in their own time, forwards and backwards; monotonic time is true."""
    library = skew.provide().path
    began_s, began_us = monotonic_s(), now_us()
    done = subprocess.run(
        [sys.executable, "-c", CLIENTS],
        env={**os.environ, **skew.variables(library, by_s=by_s)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    took_s, wall_s, monotonic = (float(number) for number in done.stdout.split())

    assert took_s < 20
    assert by_s <= wall_s - began_us / 1e6 <= by_s + 60
    assert began_s <= monotonic <= monotonic_s()


def test_two_starts_at_once_build_it_once(tmp_path: Path) -> None:
    """Both get the same library, and one of them says that it builds."""
    code = "from harness.provision import skew; print(skew.provide(progress=print).path)"
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [start.communicate(timeout=120)[0].splitlines() for start in starts]

    assert said[0][-1] == said[1][-1]
    assert Path(said[0][-1]).is_file()
    assert sum("building" in line for line in said[0] + said[1]) == 1


def test_without_a_compiler_it_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What cannot be done here, and what to do."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ProvisionError, match="no C compiler") as caught:
        skew.provide()

    assert "install a C compiler" in str(caught.value)


def test_on_another_platform_it_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence names the platform."""
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(ProvisionError, match=r"not available here.*darwin"):
        skew.provide()
