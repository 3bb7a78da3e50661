"""Schedules are frozen values that survive JSON and refuse what they do not know."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.schedule.codec import fingerprint, from_json, to_json
from harness.schedule.moments import AfterCount, AtPoint
from harness.schedule.network_words import cannot_fetch, isolate, latency
from harness.schedule.values import Schedule, Workload
from harness.schedule.words import (
    consumer,
    database,
    follower,
    kill,
    leader,
    node,
    pause,
    relay,
    restart,
)

TARGETS = st.one_of(
    st.integers(1, 3).map(node),
    st.integers(0, 9).map(lambda p: leader("orders", p)),
    st.integers(0, 9).map(lambda p: follower("orders", p, index=1)),
)
FAULTS = st.one_of(
    TARGETS.map(kill),
    TARGETS.map(pause),
    st.builds(isolate, TARGETS, flavour=st.sampled_from(["hold", "drop", "refuse", latency(60)])),
    st.builds(lambda a, b: cannot_fetch(a, source=b), TARGETS, TARGETS),
    st.just(restart(database())),
    st.integers(1, 9).map(lambda n: kill(relay(0)).at("after_send", passes=n)),
    st.integers(1, 9).map(lambda n: pause(consumer(1)).after(acked=n).until(processed=n)),
)
SCHEDULES = st.builds(
    Schedule,
    pipeline=st.text(min_size=1),
    faults=st.lists(FAULTS, max_size=4).map(tuple),
    workload=st.builds(Workload, rate_per_s=st.integers(0, 10_000)),
    seed=st.integers(0, 2**31),
)


@settings(deadline=None)  # a first example pays for imports, and on a busy machine for others
@given(SCHEDULES)
def test_a_schedule_survives_its_json(schedule: Schedule) -> None:
    """Reading what was written gives an equal value with an equal fingerprint."""
    again = from_json(to_json(schedule), source="test")
    assert again == schedule
    assert fingerprint(again) == fingerprint(schedule)


@given(SCHEDULES, SCHEDULES)
def test_different_schedules_have_different_fingerprints(one: Schedule, other: Schedule) -> None:
    """The fingerprint tells schedules apart."""
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


def test_words_read_as_a_sentence_and_mean_what_they_say() -> None:
    """The fluent words set trigger and end, and the fault says itself in words."""
    fault = kill(leader("orders", 0)).after(acked=500).for_seconds(3)
    assert fault.trigger == AfterCount(event="acked", count=500)
    assert str(fault) == "kill the leader of orders/0"
    assert kill(relay(1)).at("after_send", passes=3).trigger == AtPoint(
        point="after_send", passes=3
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"faultz": []}, "did you mean `faults`?"),
        ({"format": 99}, "schedule format 99 is not the one"),
        ({"seed": "one"}, "`seed`"),
        ({"faults": [{"kind": "explode"}]}, "`faults.0`"),
        ({"workload": {"rate": 3}}, "`workload.rate`"),
    ],
)
def test_a_wrong_schedule_file_gets_one_error_that_names_the_place(
    change: dict[str, object], said: str
) -> None:
    """Nothing in a schedule file is silently ignored."""
    text = json.dumps({"pipeline": "outbox", **change})
    with pytest.raises(UsageError) as caught:
        from_json(text, source="night.json")
    assert said in str(caught.value)
    assert "night.json" in str(caught.value)


def test_a_file_that_is_not_json_says_where_it_breaks() -> None:
    """A syntax error gives line and column."""
    with pytest.raises(UsageError, match="line 1 column 2"):
        from_json("{", source="x.json")
