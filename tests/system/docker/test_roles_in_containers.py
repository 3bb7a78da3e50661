"""The reference pipeline with its relay and consumers in containers: faults bite, and it holds."""

from collections.abc import Iterator
from contextlib import closing

import docker
import pytest

from harness.lab.choice import choose
from harness.lab.docker import marks
from harness.pipeline.loader import check_pipeline
from harness.pipeline.spec import Spec
from harness.provision.images.engine import has
from harness.provision.images.names import OWN, ROLE, Images
from harness.run.session import LabSession, default_session
from harness.scenario import (
    cannot_reach,
    consumer,
    every_node,
    kill,
    pause,
    pipeline,
    producer,
    relay,
    scale,
    variant,
)


@pytest.fixture(scope="module")
def lab(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabSession]:
    """Return a session on a lab of containers, for which the engine has the image of roles."""
    if not has(ROLE):
        pytest.skip(f"the engine has no {ROLE}: make lab-images")
    choice = choose(backend="docker", images="own" if images == OWN else "public")
    with default_session(choice, runs=tmp_path_factory.mktemp("runs"), progress=print) as session:
        yield session


def contained(spec: Spec) -> Spec:
    """Return a pipeline with an image for every role."""
    roles = spec.document["roles"]
    assert isinstance(roles, dict)
    document = {**spec.document, "roles": {k: {**v, "image": ROLE} for k, v in roles.items()}}
    return check_pipeline(document, path=spec.path, source="outbox", variant=spec.variant)


def left_in(lab: LabSession) -> list[str]:
    """Return the roles of the lab that are still in the engine."""
    with closing(docker.from_env()) as client:
        bearers = client.containers.list(
            all=True, filters={"label": marks.label(lab.lab.name), "ancestor": ROLE}
        )
        return [str(each.name) for each in bearers]


def test_roles_that_die_at_a_crash_point_and_pause_lose_nothing(lab: LabSession) -> None:
    """Every fault names a container, and each is shown to have bitten."""
    run = lab.run(
        contained(pipeline("outbox")),
        kill(consumer(0)).at("before_offset_commit", passes=5).for_seconds(1),
        pause(relay(0)).after(acked=200).for_seconds(2),
        kill(producer(0)).after(acked=400).for_seconds(1),
    )
    run.assert_exactly_once()
    assert left_in(lab) == []


def test_each_container_has_links_of_its_own(lab: LabSession) -> None:
    """The relay is cut from the nodes, and one consumer more joins meanwhile."""
    run = lab.run(
        contained(pipeline("outbox")),
        cannot_reach(relay(0), every_node()).after(acked=200).for_seconds(2),
        scale("consumer", to=3).after(acked=300).for_seconds(3),
    )
    run.assert_exactly_once()
    assert left_in(lab) == []


def test_a_twin_in_a_container_is_caught(lab: LabSession) -> None:
    """Its journal and its effects are read like a process's."""
    lab.catch(
        contained(variant("no-dedup")),
        kill(consumer(0)).at("before_offset_commit", passes=5).for_seconds(1),
    )
