"""The driver of frames claims a bite only for what was caught, and says what became of it."""

from types import SimpleNamespace
from typing import get_args

import pytest

from harness.errors import UsageError
from harness.faults.driver import Surroundings
from harness.faults.frames import API_KEYS, CatchFrames, detoured_links, make
from harness.lab.frames.codec import Frame
from harness.lab.frames.rules import ArmedRule, Catch, FrameRule, FrameSighting
from harness.schedule.network import ApiName
from harness.schedule.network_words import frames, isolate
from harness.schedule.values import Fault
from harness.schedule.words import consumer, node, relay

from .standing_in import surroundings_of

SLOTS = {("relay", 0): 2, ("consumer", 0): 3, ("consumer", 1): 4}
FAULT = frames(relay(0), "Produce", server=node(2))


class FakeFrames:
    """The frame proxy without its sockets."""

    def __init__(self) -> None:
        self.armed: list[ArmedRule] = []

    def arm(self, rule: FrameRule) -> int:
        """Put a rule into force."""
        self.armed.append(ArmedRule(rule))
        return len(self.armed) - 1

    def look(self, number: int) -> FrameSighting:
        """Return what a rule saw."""
        return self.armed[number].sighting()

    def release(self, number: int) -> None:
        """Take a rule out of force."""
        self.armed[number].in_force = False

    def come(self, number: int = 0) -> Catch | None:
        """Let a Produce request of the relay to node 2 come."""
        frame = Frame(b"x" * 100, API_KEYS["Produce"], 17)
        return self.armed[number].meet(
            frame, part="request", slot=2, node=2, connection=9, free=True
        )


@pytest.fixture
def proxy() -> FakeFrames:
    """Return a frame proxy."""
    return FakeFrames()


@pytest.fixture
def around(proxy: FakeFrames) -> Surroundings:
    """Return what the driver asks of its surroundings, and nothing else."""
    lab = SimpleNamespace(frames=proxy, nodes={1: None, 2: None, 3: None})
    return surroundings_of(lab=lab, slots=SLOTS)


def driver_of(fault: Fault, around: Surroundings) -> CatchFrames:
    """Return the driver, applied."""
    driver = make(fault, around)
    assert isinstance(driver, CatchFrames)
    driver.apply()
    return driver


def test_every_api_that_a_schedule_can_name_has_its_number() -> None:
    """And no number stands for two."""
    assert set(API_KEYS) == set(get_args(ApiName))
    assert len(set(API_KEYS.values())) == len(API_KEYS)


def test_it_holds_with_the_first_frame_that_it_catches(
    proxy: FakeFrames, around: Surroundings
) -> None:
    """Armed is not held: a rule that never catches anything has not bitten."""
    driver = driver_of(FAULT, around)
    assert not driver.held()
    assert driver.resolved == {"slot": 2, "node": 2}
    assert driver.what == "hold: Produce request number 1 between relay 0 and node 2"
    assert proxy.come() is not None
    assert driver.held()


def test_what_never_caught_anything_did_not_bite(proxy: FakeFrames, around: Surroundings) -> None:
    """Frames that passed before the nth are told, and are no bite."""
    driver = driver_of(frames(relay(0), "Produce", server=node(2), nth=3), around)
    assert proxy.come() is None
    driver.heal()
    evidence = driver.evidence()
    assert not evidence.bit
    assert evidence.sentences == ("1 Produce requests arrived while it was armed, 0 caught",)
    assert driver.healed()


def test_it_is_healed_when_nothing_waits_any_more(proxy: FakeFrames, around: Surroundings) -> None:
    """Out of force is a wish; what left the queue is the observation."""
    driver = driver_of(FAULT, around)
    catch = proxy.come()
    assert catch is not None
    proxy.armed[0].waiting = 1
    driver.heal()
    assert not driver.healed()
    proxy.armed[0].waiting = 0
    catch.settle("passed")
    assert driver.healed()
    evidence = driver.evidence()
    assert evidence.bit
    assert evidence.sentences[1].startswith(
        "Produce request 1, correlation id 17, 100 bytes, node 2, connection 9: was held for "
    )


def test_many_caught_frames_are_told_in_few_sentences(
    proxy: FakeFrames, around: Surroundings
) -> None:
    """Five one by one, the others counted."""
    driver = driver_of(frames(relay(0), "Produce", count=None, act="drop"), around)
    for _ in range(60):
        catch = proxy.come()
        assert catch is not None
        catch.settle("dropped")
    sentences = driver.evidence().sentences
    assert len(sentences) == 7
    assert sentences[-1].startswith("… and 55 more; the first 50 waited 0 ms")


def test_a_role_that_is_not_there_is_a_mistake(around: Surroundings) -> None:
    """The message names those that are."""
    with pytest.raises(UsageError, match="relay 3"):
        make(frames(relay(3), "Produce"), around)


def test_other_faults_are_none_of_its_business(around: Surroundings) -> None:
    """Another area makes them."""
    assert make(isolate(node(1)), around) is None


def test_only_roles_with_faults_of_frames_are_led_through_the_proxy() -> None:
    """All three links of each, once."""
    faults = (
        frames(consumer(1), "Fetch"),
        isolate(node(1)),
        FAULT,
        frames(relay(0), "Metadata"),
    )
    assert [str(link) for link in detoured_links(faults, slots=SLOTS)] == [
        f"client:slot{slot}->{number}" for slot in (2, 4) for number in (1, 2, 3)
    ]
    assert detoured_links((isolate(node(1)),), slots=SLOTS) == ()
