"""Feature levels of a new cluster: Kafka's own formatter writes what was asked for, or refuses."""

import pytest

from harness.errors import ProvisionError
from harness.provision import checkpoint, kafka
from harness.provision.parts import provide

ELR = "eligible.leader.replicas.version"


def test_a_feature_level_is_in_the_checkpoint_that_nodes_begin_with() -> None:
    """Eligible leader replicas are on in a new cluster since 4.1 (KIP-966), and can be left out."""
    released, without = provide(), provide(features={ELR: 0})
    assert ELR.encode() in released.bootstrap_checkpoint.read_bytes()
    assert ELR.encode() not in without.bootstrap_checkpoint.read_bytes()
    assert released.class_archive == without.class_archive


def test_a_feature_that_the_release_does_not_have_is_one_error() -> None:
    """Kafka's own words, and what to do; the cache keeps nothing of it."""
    with pytest.raises(ProvisionError, match=r"no\.such\.feature") as caught:
        provide(features={"no.such.feature": 1})
    assert "feature levels" in str(caught.value)
    known = checkpoint.find(kafka.KAFKA_VERSION)
    assert known is not None
    assert list(known.parents[1].glob("*no.such.feature*part*")) == []
