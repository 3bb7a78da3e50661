"""Variants: a catalogue of claims, and how their overrides come into force."""

from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.pipeline.loader import load_pipeline
from harness.pipeline.spec import Needs, Spec
from harness.pipeline.variant import Variant, apply, list_variants, load_variant
from harness.run.plan import plan
from harness.schedule.validate import check_schedule

EXPECTED = {
    "acks-0": ("lost", "acked-not-in-log"),
    "acks-1": ("lost", "acked-not-in-log"),
    "auto-commit": ("lost", "no-effect"),
    "commit-before-processing": ("lost", "no-effect"),
    "mark-before-ack": ("lost", "never-published"),
    "dual-write-in-transaction": ("phantom", None),
    "dual-write-after-commit": ("lost", "never-in-outbox"),
    "high-water-mark": ("lost", "never-published"),
    "no-dedup": ("duplicate-effect", None),
    "processed-in-a-later-transaction": ("duplicate-effect", None),
    "processed-in-an-earlier-transaction": ("lost", "no-effect"),
    "processed-in-memory": ("duplicate-effect", None),
    "processed-with-expiry": ("duplicate-effect", None),
    "optimistic-unchecked": ("duplicate-effect", None),
    "lock-redis-alone": ("duplicate-effect", None),
    "lock-zookeeper-alone": ("duplicate-effect", None),
}

MOST_FAULTS = 2


@pytest.fixture
def spec() -> Spec:
    """Read the reference pipeline."""
    return load_pipeline("outbox")


def _variant(**override: object) -> Variant:
    return Variant(
        name="v",
        row="r",
        safe=True,
        why="",
        reference="",
        entry="",
        expects=None,
        override=override,
        needs=Needs(),
        shown_by=None,
        tried="",
        source="v.toml",
    )


def test_every_unsafe_variant_says_what_it_leads_to() -> None:
    """The accusation that a campaign must see is part of the variant."""
    told = {
        variant.name: (variant.expects.finding, variant.expects.hop)
        for variant in list_variants()
        if variant.expects is not None
    }

    assert EXPECTED.items() <= told.items()


def test_every_variant_fits_the_reference(spec: Spec) -> None:
    """Each of them changes something and leaves a file that passes every check."""
    for variant in list_variants():
        changed = apply(spec, variant)
        assert changed.variant == variant.name
        differs = changed.file != spec.file or variant.needs != Needs()
        assert variant.safe or differs or variant.tried, variant.name


def test_an_override_keeps_what_it_does_not_name(spec: Spec) -> None:
    """Tables are merged, values replaced."""
    relay = apply(spec, load_variant("acks-1")).roles["relay"]

    assert relay.env["KAFKA_PRODUCER_CONFIG"] == '{"acks": "1", "enable.idempotence": false}'
    assert relay.env["RELAY_MARK"] == "after-ack"
    assert relay.command == spec.roles["relay"].command


def test_a_star_means_each_one_there_is(spec: Spec) -> None:
    """A topic variant fits any pipeline, whatever its topics are called."""
    changed = apply(spec, _variant(topics={"*": {"replication_factor": 1}}))

    assert [topic.replication_factor for topic in changed.topics.values()] == [1]


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ({"roles": {"relais": {"instances": 2}}}, "it overrides roles.relais"),
        ({"roles": {"relay": {"instnces": 2}}}, "roles.relay.instnces; did you mean instances?"),
        ({"topic": {}}, "unknown key topic; did you mean topics?"),
        ({"roles": {"relay": {"env": {"A": "${NOPE}"}}}}, "roles.relay.env.A: ${NOPE} is not"),
    ],
)
def test_a_wrong_override_is_a_usage_error(
    spec: Spec, override: dict[str, object], told: str
) -> None:
    """An override is checked like the file it goes into."""
    with pytest.raises(UsageError) as caught:
        apply(spec, _variant(**override))

    assert told in str(caught.value)


def test_an_unknown_variant_names_the_nearest() -> None:
    """And all there are."""
    with pytest.raises(UsageError, match="did you mean acks-0") as caught:
        load_variant("ack-0")

    assert "no-dedup" in str(caught.value)


def test_a_pipeline_brings_its_own_variants(tmp_path: Path) -> None:
    """Inline variants have the shape of a variant file and come after the catalogue."""
    text = (Path(load_pipeline("outbox").path)).read_text()
    inline = """
[variants.one-consumer]
row = "auto-commit"
safe = true
why = "Fewer rebalances."
[variants.one-consumer.override.roles.consumer]
instances = 1
"""
    (tmp_path / "schema.sql").write_text("")
    (tmp_path / "pipeline.toml").write_text(text + inline)
    mine = load_pipeline(tmp_path)

    assert list_variants(spec=mine)[-1].name == "one-consumer"
    assert apply(mine, load_variant("one-consumer", spec=mine)).roles["consumer"].instances == 1


def test_an_unsafe_variant_must_expect_something(tmp_path: Path) -> None:
    """A claim that nothing can refute is no claim."""
    text = Path(load_pipeline("outbox").path).read_text()
    (tmp_path / "schema.sql").write_text("")
    (tmp_path / "pipeline.toml").write_text(
        text + '\n[variants.odd]\nrow = "acks"\nsafe = false\nwhy = "?"\n'
    )

    with pytest.raises(UsageError, match="`expects` says what an unsafe variant leads to"):
        load_variant("odd", spec=load_pipeline(tmp_path))


def test_every_unsafe_variant_can_be_shown() -> None:
    """`harness run --variant NAME` plays a schedule of at most two faults that is possible."""
    for each in list_variants():
        if not each.safe and not each.tried:
            spec, schedule = plan(None, variant_name=each.name, schedule_file=None)
            assert each.shown_by is not None, each.name
            assert len(schedule.faults) <= MOST_FAULTS, each.name
            check_schedule(
                schedule,
                topics={name: topic.partitions for name, topic in spec.topics.items()},
                roles={name: role.instances for name, role in spec.roles.items()},
                lock_services=spec.lock_services,
            )


def test_a_lock_service_is_started_for_variants_that_use_it_only() -> None:
    """The reference uses none; a role that has no instance needs none."""
    assert load_pipeline("outbox").lock_services == ()
    locked = apply(load_pipeline("outbox"), load_variant("lock-redis-fenced"))
    assert locked.lock_services == ("redis",)
    without = apply(locked, _variant(roles={"consumer": {"instances": 0}}))
    assert without.lock_services == ()


def test_only_a_role_that_uses_a_lock_service_is_told_of_it(spec: Spec) -> None:
    """A placeholder that would stay empty is an error."""
    asks = {"env": {"LOCKS": "${REDIS_URL}"}}
    with pytest.raises(UsageError, match=r"\$\{REDIS_URL\} is not given to this role"):
        apply(spec, _variant(roles={"consumer": asks}))
    uses = {"uses": ["kafka", "database", "redis"]}
    assert apply(spec, _variant(roles={"consumer": asks | uses})).lock_services == ("redis",)


def test_a_catalogue_schedule_is_not_aimed_at_a_pipeline_without_its_topics(
    tmp_path: Path, spec: Spec
) -> None:
    """A stranger's pipeline under a catalogue variant gets the death of its own leader."""
    text = spec.path.read_text(encoding="utf-8").replace("topics.orders", "topics.bills")
    (tmp_path / "schema.sql").write_text("", encoding="utf-8")
    own = tmp_path / "pipeline.toml"
    own.write_text(text, encoding="utf-8")
    _, schedule = plan(str(own), variant_name="acks-1", schedule_file=None)
    assert [str(fault) for fault in schedule.faults] == ["kill the leader of bills/0"]
