"""Which backend a lab runs on, for engines of every kind, and the words for each that cannot be."""

from collections.abc import Callable

import pytest

from harness.errors import UsageError
from harness.provision.backend import (
    NEEDED_MEMORY_BYTES,
    choose,
    require_images,
    require_role_image,
)
from harness.provision.images.engine import Engine, EngineError
from harness.provision.images.names import OWN, PUBLIC, ROLE, Images, image_set


def _engine(*has: str, memory_bytes: int = NEEDED_MEMORY_BYTES) -> Engine:
    return Engine(
        version="28.2", memory_bytes=memory_bytes, address="unix:///sock", images=frozenset(has)
    )


def _nobody() -> Engine:
    raise EngineError("No Docker engine answers", remedy="start one, or use --backend local")


def _must_not_be_asked() -> Engine:
    pytest.fail("the engine was asked")


@pytest.mark.parametrize(
    ("asked", "has", "images"),
    [
        ("auto", PUBLIC.all(), "public"),
        ("auto", OWN.all(), "own"),
        ("auto", (*PUBLIC.all(), *OWN.all()), "own"),
        ("public", (*PUBLIC.all(), *OWN.all()), "public"),
        ("own", OWN.needed(), "own"),
    ],
)
@pytest.mark.parametrize("backend", ["auto", "docker"])
def test_an_engine_with_images_runs_the_lab(
    backend: str, asked: str, has: tuple[str, ...], images: str
) -> None:
    """`auto` takes the project's own images where they all are, else the public ones."""
    choice = choose(backend, images=asked, ask=lambda: _engine(*has))

    assert (choice.backend, choice.images) == ("docker", images)
    assert str(choice) == f"docker (Docker 28.2 at unix:///sock, {images} images)"


def test_the_kafka_release_decides_which_image_is_needed() -> None:
    """An engine with another release's image is no place for this one."""
    older = image_set("public", kafka_version="3.9.1")
    engine = _engine(*older.all())

    assert older.kafka == "apache/kafka:3.9.1"
    assert choose(kafka_version="3.9.1", ask=lambda: engine).backend == "docker"
    assert choose(ask=lambda: engine).backend == "local"


@pytest.mark.parametrize(
    ("ask", "why", "remedy"),
    [
        (_nobody, "No Docker engine answers", "start one"),
        (_engine, "apache/kafka:4.3.1", "docker pull apache/kafka:4.3.1"),
        (lambda: _engine(*PUBLIC.needed()[1:]), "apache/kafka:4.3.1 missing", "images build"),
        (
            lambda: _engine(*PUBLIC.all(), memory_bytes=NEEDED_MEMORY_BYTES - 1),
            "too little memory for a lab: 2.0 GiB",
            "give it more",
        ),
    ],
)
def test_without_all_that_is_needed_auto_is_local_and_docker_an_error(
    ask: Callable[[], Engine], why: str, remedy: str
) -> None:
    """Either way it says why, and what would help; the error also names the other way out."""
    choice = choose("auto", ask=ask)
    assert choice.backend == "local"
    assert why in str(choice)
    assert remedy in str(choice)
    assert "--backend local" not in str(choice)
    assert choice.to_json()["images"] is None

    with pytest.raises(UsageError) as told:
        choose("docker", ask=ask)
    assert why in told.value.message
    assert remedy in str(told.value.remedy)
    assert "--backend local" in str(told.value.remedy)


def test_own_images_that_are_missing_are_to_be_built_and_not_pulled() -> None:
    """They are in no registry."""
    with pytest.raises(UsageError, match="zero-loss-harness/toxiproxy") as told:
        choose("docker", images="own", ask=lambda: _engine(OWN.kafka, OWN.postgres))

    assert "harness images build" in str(told.value.remedy)
    assert "pull" not in str(told.value.remedy)


def test_local_asks_no_engine() -> None:
    """A machine whose engine hangs still runs local labs."""
    assert choose("local", ask=_must_not_be_asked).backend == "local"


@pytest.mark.parametrize(
    ("backend", "images", "said"),
    [("moon", "auto", "no moon backend"), ("local", "moon", "no moon set of images")],
)
def test_a_word_that_means_nothing_is_refused(backend: str, images: str, said: str) -> None:
    """Whatever the engine would say."""
    with pytest.raises(UsageError, match=said):
        choose(backend, images=images, ask=_must_not_be_asked)


def test_an_image_for_one_run_is_required_by_name() -> None:
    """A lock service's image is only missed by the run that uses it."""
    require_images([OWN.redis], ask=lambda: _engine(OWN.redis))
    with pytest.raises(UsageError, match=f"{OWN.zookeeper} missing"):
        require_images([OWN.zookeeper], ask=lambda: _engine(OWN.redis))


def test_there_are_two_sets_of_images_and_no_third() -> None:
    """Each names every server, with a tag that is not `latest`."""
    for name, images in (("public", PUBLIC), ("own", OWN)):
        assert image_set(name) == images
        assert all(":" in each and not each.endswith(":latest") for each in images.all())
    with pytest.raises(UsageError, match="no set of images called 'private'"):
        image_set("private")
    assert not set(PUBLIC.all()) & set(OWN.all())
    assert isinstance(PUBLIC, Images)


@pytest.mark.parametrize(
    ("image", "remedy"),
    [(ROLE, "harness images build"), ("shop/consumer", "docker pull shop/consumer")],
)
def test_the_image_of_a_role_is_there_or_its_remedy_is_told(image: str, remedy: str) -> None:
    """A stranger's image is built or pulled by the stranger; this project's is built by it."""
    require_role_image(image, has=lambda _: True)
    with pytest.raises(UsageError, match=image) as told:
        require_role_image(image, has=lambda _: False)
    assert told.value.remedy is not None
    assert remedy in told.value.remedy
