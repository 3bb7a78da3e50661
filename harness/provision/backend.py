"""Chooses where a lab runs, and says why: `docker` where all that it needs is there, else `local`.

Nothing is started, built or pulled for the answer.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from harness.errors import UsageError
from harness.provision.images import engine
from harness.provision.images.engine import OTHER, Engine
from harness.provision.images.names import PROJECT, SET_NAMES, SetName, image_set
from harness.provision.kafka import KAFKA_VERSION

Backend = Literal["local", "docker"]
ASKED = ("auto", "local", "docker")
AUTO = "auto"
NEEDED_MEMORY_BYTES = 2 * 2**30
"""Three nodes with 256 MB of heap each and what a JVM takes beside it, PostgreSQL, Toxiproxy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendChoice:
    """Which backend a lab runs on, and why."""

    backend: Backend
    why: str
    remedy: str | None = None
    """What to do for the other one, where it was not wanted but not there."""
    images: SetName = "public"
    """The set of images that containers are started from."""

    def __str__(self) -> str:
        remedy = f"\n  for the docker backend: {self.remedy}" if self.remedy else ""
        return f"{self.backend} ({self.why}){remedy}"

    def to_json(self) -> dict[str, object]:
        """Return the choice as JSON values."""
        images = self.images if self.backend == "docker" else None
        return {
            "backend": self.backend,
            "why": self.why,
            "remedy": self.remedy,
            "images": images,
        }


def choose(
    asked: str = AUTO,
    *,
    images: str = AUTO,
    kafka_version: str = KAFKA_VERSION,
    ask: Callable[[], Engine] = engine.ask,
) -> BackendChoice:
    """Return the backend that `--backend` and `--images` come to on this machine.

    `auto` is `docker` where an engine answers that has the images and the memory, else `local`.
    UsageError for words that mean nothing, and if `docker` is asked for and cannot be had.
    """
    _check_word(asked, ASKED, what="backend")
    _check_word(images, (AUTO, *SET_NAMES), what="set of images")
    if asked == "local":
        return BackendChoice(backend="local", why="as asked for")
    try:
        return _on(ask(), images=images, kafka_version=kafka_version)
    except UsageError as error:
        if asked == "docker":
            raise
        remedy = error.remedy and error.remedy.removesuffix(f", {OTHER}")
        return BackendChoice(backend="local", why=error.message, remedy=remedy)


def require_images(references: Iterable[str], *, ask: Callable[[], Engine] = engine.ask) -> None:
    """Raise UsageError, with how to get them, unless the engine has all these images."""
    lacking = ask().lacks(references)
    if lacking:
        raise _without(lacking)


def require_role_image(image: str, *, has: Callable[[str], bool] = engine.has) -> None:
    """Raise UsageError, with how to get it, unless the engine has the image of a role."""
    if not has(image):
        own = image.startswith(f"{PROJECT}/")
        raise UsageError(
            f"A role runs in a container of {image}, and the Docker engine has no such image",
            remedy="harness images build" if own else f"build it, or docker pull {image}",
        )


def _on(found: Engine, *, images: str, kafka_version: str) -> BackendChoice:
    """Return the choice of this engine; UsageError if it is too small or has not the images."""
    if found.memory_bytes < NEEDED_MEMORY_BYTES:
        raise UsageError(
            f"The Docker engine has too little memory for a lab: {found.memory_bytes / 2**30:.1f} "
            f"GiB, and three Kafka nodes need {NEEDED_MEMORY_BYTES / 2**30:.0f} GiB ({found})",
            remedy=f"give it more (Docker Desktop: Settings, Resources), {OTHER}",
        )
    wanted: tuple[SetName, ...] = tuple(
        each for each in ("own", "public") if images in (AUTO, each)
    )
    missing: tuple[str, ...] = ()
    for name in wanted:
        missing = found.lacks(image_set(name, kafka_version=kafka_version).needed())
        if not missing:
            return BackendChoice(backend="docker", why=f"{found}, {name} images", images=name)
    raise _without(missing)


def _without(missing: Iterable[str]) -> UsageError:
    """Return the error for images that are not there; it names how each kind is had."""
    names = tuple(missing)
    own = [each for each in names if each.startswith(f"{PROJECT}/")]
    build = "build the project's own ones: harness images build"
    pull = "pull them: " + " && ".join(f"docker pull {each}" for each in names)
    return UsageError(
        f"The Docker engine has not all images of a lab: {', '.join(names)} missing",
        remedy=f"{build if own else f'{pull}, or {build}'}, {OTHER}",
    )


def _check_word(word: str, words: tuple[str, ...], *, what: str) -> None:
    if word not in words:
        raise UsageError(f"There is no {word} {what}", remedy=f"choose one of {', '.join(words)}")
