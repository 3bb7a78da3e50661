"""Profiles and releases: what is asked for, what a release is given, what cannot be meant."""

import json

import pytest

from harness.errors import UsageError
from harness.lab.choice import LabChoice, choose
from harness.lab.profile import FAST, PRODUCTION, PROFILES, Profile
from harness.pipeline.reference.settings import consumer_settings, producer_settings

WAITING = (".ms", ".interval", ".timeout", ".delay")


def test_nothing_asked_for_is_the_fast_profile_on_the_pinned_release() -> None:
    """A plain `harness run` is what it was."""
    assert choose() == LabChoice()
    assert (choose().profile, choose().features) == (FAST, {})


def test_what_is_asked_for_is_what_is_chosen() -> None:
    """All three words at once."""
    chosen = choose(
        profile="production",
        kafka_version="4.1.1",
        features=["eligible.leader.replicas.version=0"],
    )
    assert chosen == LabChoice(
        profile=PRODUCTION,
        kafka_version="4.1.1",
        features={"eligible.leader.replicas.version": 0},
    )


def test_what_a_variant_needs_comes_on_top_of_what_was_asked_for() -> None:
    """Another release, one more level, settings of nodes; the time-outs stay."""
    asked = choose(profile="fast", features=["share.version=1"])
    given = asked.also(
        kafka="3.9.1",
        features={"eligible.leader.replicas.version": 0},
        broker={"offsets.topic.replication.factor": "1"},
    )
    assert (given.kafka_version, given.profile.name) == ("3.9.1", "fast")
    assert given.features == {"share.version": 1, "eligible.leader.replicas.version": 0}
    settings = given.profile.settings("4.3.1")
    assert settings["offsets.topic.replication.factor"] == "1"
    assert {**settings, "offsets.topic.replication.factor": "3"} == FAST.settings("4.3.1")


def test_needing_nothing_changes_nothing() -> None:
    """The lab that stands already is the right one."""
    assert choose().also(kafka=None, features={}, broker={}) == LabChoice()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"profile": "prodction"}, "did you mean production?"),
        ({"profile": "x"}, "the profiles are fast and production"),
        ({"kafka_version": "4.3"}, "name one in full"),
        ({"kafka_version": "latest"}, "latest is no release of Kafka"),
        ({"kafka_version": "2.8.0"}, "older than a lab can run"),
        ({"features": ["elr=off"]}, "NAME=LEVEL"),
    ],
)
def test_what_cannot_be_meant_is_one_error(asked: dict[str, object], said: str) -> None:
    """What is wrong, and what would be right; nothing is fetched for it."""
    with pytest.raises(UsageError) as caught:
        choose(**asked)  # type: ignore[arg-type]  # one of the above
    assert said in str(caught.value)


def test_production_gives_no_node_a_time_out() -> None:
    """Kafka's own defaults are what is not written down; what stays has nothing to do with time."""
    assert [name for name in PRODUCTION.broker if name.endswith(WAITING)] == []
    kept = {name: FAST.broker[name] for name in PRODUCTION.broker}
    assert kept == dict(PRODUCTION.broker)


def test_production_is_the_more_patient_one_in_everything() -> None:
    """Each deadline is longer than what it waits for, so it must grow with it."""
    names = [name for name in type(FAST.patience).__slots__ if name != "name"]
    for name in names:
        assert getattr(PRODUCTION.patience, name) > getattr(FAST.patience, name), name


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_a_release_is_given_what_it_knows(profile: Profile) -> None:
    """Share groups came with Kafka 4.0 (KIP-932)."""
    old, new = (profile.settings(version) for version in ("3.9.1", "4.0.0-rc1"))
    left_out = set(new) - set(old)
    assert left_out
    assert {name.split(".")[0] for name in left_out} == {"share"}


@pytest.mark.parametrize(("profile", "session_ms"), [("fast", 3000), ("production", 45000)])
def test_the_reference_clients_heed_the_profile(
    monkeypatch: pytest.MonkeyPatch, profile: str, session_ms: int
) -> None:
    """Only time-outs differ, every one is written out, and overrides stand above them."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "nowhere:1")
    monkeypatch.setenv("KAFKA_GROUP_ID", "g")
    monkeypatch.delenv("HARNESS_PROFILE", raising=False)
    by_default = (producer_settings(), consumer_settings())
    monkeypatch.setenv("HARNESS_PROFILE", profile)
    told = (producer_settings(), consumer_settings())
    assert told[1]["session.timeout.ms"] == session_ms
    for before, after in zip(by_default, told, strict=True):
        assert before.keys() == after.keys()
        changed = {name for name in before if before[name] != after[name]}
        assert all(name.endswith(".ms") for name in changed)
    monkeypatch.setenv("KAFKA_CONSUMER_CONFIG", json.dumps({"session.timeout.ms": 7}))
    assert consumer_settings()["session.timeout.ms"] == 7


def test_a_choice_survives_its_words() -> None:
    """What is typed, what a worker is told and what a campaign keeps are the same words."""
    words = {
        "profile": "production",
        "kafka_version": "3.9.1",
        "features": ("eligible.leader.replicas.version=0", "group.version=1"),
        "backend": "docker",
        "images": "own",
    }
    assert choose(**words).words() == words  # type: ignore[arg-type]  # its own keywords
