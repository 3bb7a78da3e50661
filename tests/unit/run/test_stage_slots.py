"""Every process has links of its own, those that a schedule will add included."""

from dataclasses import replace

from harness.pipeline.loader import load_pipeline
from harness.run.stage import assign_slots
from harness.schedule.values import Schedule
from harness.schedule.words import scale


def test_added_instances_have_slots_from_the_beginning() -> None:
    """The largest number that any fault scales to counts; those that were there keep theirs."""
    spec = load_pipeline("outbox")
    faults = (scale("consumer", to=3), scale("consumer", to=5), scale("relay", to=0))
    calm = assign_slots(spec, Schedule(pipeline="outbox"))
    slots = assign_slots(spec, Schedule(pipeline="outbox", faults=faults))

    assert {one: slots[one] for one in calm} == calm
    assert [number for role, number in slots if role == "consumer"] == [0, 1, 2, 3, 4]
    assert sorted(slots.values()) == list(range(1, 8))


def test_when_slots_do_not_suffice_every_role_has_one() -> None:
    """An added instance shares its role's links then."""
    spec = load_pipeline("outbox")
    schedule = Schedule(pipeline="outbox")
    slots = assign_slots(spec, replace(schedule, faults=(scale("consumer", to=9),)))

    assert {slots["consumer", number] for number in range(9)} == {slots["consumer", 0]}
    assert len(set(slots.values())) == 3
