"""A campaign plays every single fault, then every pair that goes together, then draws by seed."""

from itertools import combinations, islice

import pytest

from harness.errors import UsageError
from harness.schedule import budget
from harness.schedule.campaign import Campaign, numbers
from harness.schedule.company import goes_with, server_of
from harness.schedule.covering import Cover
from harness.schedule.dice import derive
from harness.schedule.generate import draw
from harness.schedule.menu import items
from harness.schedule.overlap import may_overlap
from harness.schedule.plans import rank
from harness.schedule.shape import OUTBOX, PipelineShape
from harness.schedule.validate import check_schedule
from harness.schedule.values import Budget

CAMPAIGNS: dict[Budget, Campaign] = {
    "safe": Campaign(OUTBOX, root_seed=1),
    "over": Campaign(OUTBOX, root_seed=1, budget="over"),
}


@pytest.fixture(params=["safe", "over"])
def campaign(request: pytest.FixtureRequest) -> Campaign:
    """Return a campaign within each budget."""
    return CAMPAIGNS[request.param]


@pytest.fixture
def cover(campaign: Campaign) -> Cover:
    """Return its covering set."""
    return campaign.cover


def test_every_pair_that_goes_together_is_covered(cover: Cover) -> None:
    """26 or more elements; each pair is in a schedule, or is told to be impossible."""
    names = {name for pair in cover.possible | cover.impossible for name in pair}
    assert len(names) >= 26
    assert cover.possible | cover.impossible == {frozenset(pair) for pair in combinations(names, 2)}
    assert not cover.possible & cover.impossible
    covered = {frozenset(pair) for group in cover.groups for pair in combinations(group, 2)}
    assert covered == cover.possible


def test_the_covering_set_is_small(cover: Cover) -> None:
    """45 schedules at the most, of two to seven faults each."""
    assert len(cover.schedules) <= 45
    assert all(2 <= len(group) <= 7 for group in cover.groups)


def test_what_is_covered_really_overlaps(cover: Cover) -> None:
    """All faults of a covering schedule are in force at once, valid and within the budget."""
    for schedule, group in zip(cover.schedules, cover.groups, strict=True):
        check_schedule(schedule, topics=OUTBOX.topics, roles=OUTBOX.roles)
        assert len(schedule.faults) == len(group)
        for one, other in combinations(range(len(group)), 2):
            assert may_overlap(schedule.faults, one, other)
            assert goes_with(schedule.faults, one, other)


def test_whoever_makes_the_load_ends_behind_the_roles_and_nodes(cover: Cover) -> None:
    """What begins while no load runs is not shown to have met anything."""
    ended = 0
    for schedule in cover.schedules:
        faults = list(schedule.faults)
        ends = [n for n, fault in enumerate(faults) if rank(fault, OUTBOX) == 4]
        ended += len(ends)
        for place in ends:
            behind = [fault for fault in faults[place + 1 :] if rank(fault, OUTBOX) != 4]
            assert all(server_of(fault) is not None for fault in behind)
    assert ended >= 3


def test_pairs_are_impossible_for_a_reason() -> None:
    """Two nodes away are over; a paused relay has no link to cut; and the rest goes together."""
    safe, over = CAMPAIGNS["safe"].cover, CAMPAIGNS["over"].cover
    assert frozenset({"kill leader", "bridge/refuse node"}) in safe.impossible
    assert frozenset({"kill leader", "bridge/refuse node"}) in over.possible
    assert frozenset({"kill leader", "amnesia/tail leader"}) in safe.impossible & over.impossible
    assert frozenset({"pause relay", "unreachable/drop relay to leader"}) in safe.impossible
    assert frozenset({"kill leader", "followers/latency leader"}) in safe.possible
    assert frozenset({"kill leader", "kill consumer"}) in safe.possible


def test_every_item_comes_once_before_any_pair(campaign: Campaign) -> None:
    """One fault a schedule, each of them valid, each item of the menu once."""
    menu = items(OUTBOX, budget=campaign.schedule(0).budget)
    assert sorted(item.name for item in campaign.singles) == sorted(item.name for item in menu)
    for number, item in enumerate(campaign.singles):
        schedule = campaign.schedule(number)
        assert campaign.part(number) == "single"
        assert [fault.kind for fault in schedule.faults] == [item.kind]
        check_schedule(schedule, topics=OUTBOX.topics, roles=OUTBOX.roles)
        assert not budget.hopeless(schedule.faults)


def test_every_family_comes_once_before_any_comes_twice(campaign: Campaign) -> None:
    """What one kind of fault at one kind of target shows is not hidden behind eight flavours."""
    singles = campaign.singles
    for part in ("safe", "over"):
        families = [item.family for item in singles if item.budget == part]
        first = families[: len(set(families))]
        assert len(set(first)) == len(first)
    by_family = {item.family: item.name for item in singles}
    assert by_family["isolate leader from peers"].startswith("isolate/")
    assert by_family["kill consumer at after_poll"] == "kill consumer at after_poll"
    assert sum(item.family == "unreachable relay to leader" for item in singles) == 8


def test_then_pairs_then_seeds_without_an_end(campaign: Campaign) -> None:
    """A number means the same schedule whoever asks, in whatever order."""
    pairs = len(campaign.singles)
    random = pairs + len(campaign.cover.schedules)
    assert (campaign.part(pairs), campaign.part(random - 1)) == ("pairs", "pairs")
    assert campaign.part(random) == "random"
    assert campaign.schedule(pairs) == campaign.cover.schedules[0]
    far = random + 10_000
    within = campaign.schedule(far).budget
    assert campaign.schedule(far) == draw(derive(1, far), OUTBOX, budget=within)


def test_another_root_seed_is_another_campaign() -> None:
    """Other orders, other details, other random schedules; the same covering set."""
    one, other = CAMPAIGNS["safe"], Campaign(OUTBOX, root_seed=2)
    assert [item.name for item in one.singles] != [item.name for item in other.singles]
    assert one.schedule(5000) != other.schedule(5000)
    assert one.schedule(7) == Campaign(OUTBOX, root_seed=1).schedule(7)


def test_shards_share_the_numbers_out() -> None:
    """Every number once, and a shard goes on where it was."""
    shards = [list(islice(numbers(shard=shard, of=3), 4)) for shard in (1, 2, 3)]
    assert sorted(number for shard in shards for number in shard) == list(range(12))
    assert list(islice(numbers(shard=2, of=3, start=5), 2)) == [7, 10]
    assert next(numbers(start=17)) == 17
    with pytest.raises(UsageError, match="no shard 9 of 8"):
        numbers(shard=9, of=8)


def test_any_pipeline_has_a_campaign() -> None:
    """Without topics, or without a database, there is less to break."""
    bare = Campaign(PipelineShape(name="p", topics={}, roles={"worker": 1}), root_seed=0)
    assert {item.kind for item in bare.singles} >= {"kill", "unreachable", "terminate"}
    assert not any("leader" in item.name.split() for item in bare.singles if item.kind == "kill")
    assert len(bare.schedule(0).faults) == 1
