"""What a producer instance is asked for, and how it keeps to it."""

import time
from dataclasses import replace

import pytest

from harness.pipeline.reference.workload import Pace, Payloads, Workload


def _share(monkeypatch: pytest.MonkeyPatch, *, instance: int, instances: int) -> Workload:
    monkeypatch.setenv("HARNESS_INSTANCE", str(instance))
    monkeypatch.setenv("HARNESS_INSTANCES", str(instances))
    monkeypatch.setenv("WORKLOAD_RATE", "300")
    return Workload.from_environment()


@pytest.mark.parametrize("keys", ["1", "3", "32"])
def test_instances_share_rate_and_keys_without_overlap(
    monkeypatch: pytest.MonkeyPatch, keys: str
) -> None:
    """One process owns the order of a key; each has at least one."""
    monkeypatch.setenv("WORKLOAD_KEYS", keys)
    shares = [_share(monkeypatch, instance=number, instances=3) for number in range(3)]

    everyone = [key for share in shares for key in share.keys]
    assert len(everyone) == len(set(everyone)) == max(3, int(keys))
    assert all(share.keys for share in shares)
    assert sum(share.rate_per_s for share in shares) == 300


def test_the_pace_is_the_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten transactions of two at 100 messages a second are due 20 ms apart."""
    monkeypatch.setattr(time, "monotonic", lambda: 50.0)
    pace = Pace(rate_per_s=100, batch=2)

    due = [pace.next_s() for _ in range(10)]

    assert due == pytest.approx([50.0 + 0.02 * number for number in range(10)])


def test_a_delay_is_made_up_for_by_one_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute's outage there is no burst of a minute's messages."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = Pace(rate_per_s=10, batch=1)
    now[0] = 160.0

    overdue = 0
    while pace.next_s() <= now[0]:
        overdue += 1

    assert overdue == pytest.approx(11, abs=1)


def test_no_rate_means_no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 asks for all it can."""
    monkeypatch.setattr(time, "monotonic", lambda: 5.0)
    pace = Pace(rate_per_s=0, batch=1)

    assert [pace.next_s() for _ in range(3)] == [5.0, 5.0, 5.0]


def test_payloads_name_their_message_and_repeat_with_the_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Equal seeds give equal bytes, other seeds others, and a person can read whose they are."""
    share = replace(_share(monkeypatch, instance=0, instances=1), payload_bytes=64)
    first, again = Payloads(share), Payloads(share)
    other = Payloads(replace(share, seed="other"))

    payload = first.make("key-0001", 7)

    assert payload == again.make("key-0001", 7) != other.make("key-0001", 7)
    assert payload.startswith(b"key-0001 7 ")
    assert len(payload) == 64


def test_a_payload_is_never_shorter_than_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two messages never have the same payload, however small it should be."""
    share = replace(_share(monkeypatch, instance=0, instances=1), payload_bytes=1)

    assert Payloads(share).make("key-0001", 7) == b"key-0001 7 "
