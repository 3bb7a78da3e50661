"""A timeline is a public format: whatever is written into it, a report reads what it can.

The judge has refused what breaks a rule; here nothing may stop a whole night's report.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.report.curves import curves
from harness.report.lanes import clock_of, lanes, phases, role_lives
from harness.report.marks import controllers, crashes, partitions, troubles
from harness.report.timeline_facts import timeline_facts

ODD: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.just([]) | st.just({})
)
EVENTS = st.lists(
    st.fixed_dictionaries(
        {"event": st.sampled_from(["fault", "phase", "partition", "role", "progress", "trouble"])},
        optional={
            "at_us": st.integers(1, 10**7) | ODD,
            "fault": st.integers(0, 2) | ODD,
            "state": st.sampled_from(["asked", "held", "healed", "started", "exited"]) | ODD,
            "resolved": st.dictionaries(
                st.sampled_from(
                    ["node", "nodes", "links", "slot", "role", "instance", "instances", "processes"]
                ),
                ODD | st.lists(ODD, max_size=2),
            )
            | ODD,
            "evidence": st.lists(ODD, max_size=2) | ODD,
            "isr": st.lists(ODD, max_size=3) | ODD,
            "role": ODD,
            "instance": ODD,
            "committed": ODD,
            "processed": ODD,
            "point": ODD,
            "phase": ODD,
        },
    ),
    max_size=12,
)


@settings(deadline=None)
@given(EVENTS)
def test_no_event_stops_a_report(events: list[dict[str, object]]) -> None:
    """Missing fields, fields of other types, events in any order."""
    facts = timeline_facts(events, roles_of_slots={1: "relay"}, faults=1)
    clock = clock_of(events)
    drawn = lanes(events, who_of_slots={1: "relay-0"}, clock=clock)
    assert bool(drawn) is any(event["event"] == "fault" for event in events)
    assert len(phases(events, clock=clock)) <= sum(event["event"] == "phase" for event in events)
    assert len(role_lives(events, clock=clock)) <= len(events)
    for marks in (partitions, controllers, crashes, troubles):
        assert len(list(marks(events, clock=clock))) <= len(events)
    series, source = curves(events, [], began_us=facts.began_us, length_s=facts.length_s or 0.0)
    assert source == "progress"
    assert all(len(each.times_s) == len(each.values) for each in series)
