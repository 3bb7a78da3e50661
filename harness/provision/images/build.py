"""Builds the project's own images: each once, whole or not at all, and anew when its parts change.

The engine itself is the cache. A label says what an image was made from; an image gets its name
only after the server in it has answered.
"""

import io
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from harness.errors import ProvisionError
from harness.provision import cache
from harness.provision.images import debian, engine
from harness.provision.images.debian import LABEL
from harness.provision.images.recipes import BASE, Recipe, recipes
from harness.provision.kafka import KAFKA_VERSION
from harness.provision.values import Progress, silent

if TYPE_CHECKING:
    import docker

DEADLINE_S = 600.0
"""How long the engine may be silent: it takes in most of a gigabyte before it says anything."""

PROOF_DEADLINE_S = 120.0
PROOF = "proof"


def build(kafka_version: str = KAFKA_VERSION, *, progress: Progress = silent) -> tuple[str, ...]:
    """Build every image that is not there or was made from other parts; return the new ones.

    Safe to call from several processes at once, and after one that was killed. UsageError without
    an engine; ProvisionError if a part cannot be had or an image cannot be built.
    """
    client = engine.connect(deadline_s=DEADLINE_S)
    try:
        with turn(progress=progress):
            debian.clear()
            base_is_new = _made_from(client).get(BASE) != debian.digest()
            if base_is_new:
                debian.make(client, progress=progress)
            base_id = client.images.get(BASE).id
            made = update(
                client, recipes(kafka_version, progress=progress), base=base_id, progress=progress
            )
            return (BASE, *made) if base_is_new else made
    finally:
        client.close()


@contextmanager
def turn(*, progress: Progress = silent) -> Iterator[None]:
    """Let one process of this user build at a time; who waits is told so."""
    cache.root().mkdir(parents=True, exist_ok=True)
    with cache.locked(
        cache.root() / ".images.lock",
        waiting="another process builds images: waiting",
        progress=progress,
    ):
        yield


def update(
    client: "docker.DockerClient", recipes: Iterable[Recipe], *, base: str, progress: Progress
) -> tuple[str, ...]:
    """Build the images of these recipes that are not up to date; the caller has the `turn`.

    What an earlier one was, or one that was killed left, is removed unless a container uses it.
    """
    proofs = {"label": f"{LABEL}={PROOF}"}
    for left in client.containers.list(all=True, ignore_removed=True, filters=proofs):
        left.remove(force=True, v=True)
    made = _made_from(client)
    new = []
    for recipe in recipes:
        digest = recipe.digest(base=base)
        if made.get(recipe.reference) != digest:
            progress(f"building {recipe.reference}")
            _make(client, recipe, digest=digest)
            new.append(recipe.reference)
    client.images.prune(filters={"dangling": True, "label": LABEL})
    return tuple(new)


def _made_from(client: "docker.DockerClient") -> Mapping[str, str]:
    """Return what each of our images says that it was made from."""
    images = client.images.list(filters={"label": LABEL})
    return {tag: image.labels[LABEL] for image in images for tag in image.tags}


def _make(client: "docker.DockerClient", recipe: Recipe, *, digest: str) -> None:
    """Build one image, see that its server answers, and give it its name."""
    from docker.errors import APIError, BuildError  # noqa: PLC0415  # see engine.connect
    from requests import RequestException  # noqa: PLC0415  # see engine.connect

    try:
        with _context(recipe) as context:
            image, _ = client.images.build(
                fileobj=context, custom_context=True, labels={LABEL: digest}, rm=True, forcerm=True
            )
        try:
            _check(recipe, printed=_prove(client, image.id, recipe))
        except BaseException:
            client.images.remove(image.id)
            raise
    except (APIError, BuildError, RequestException) as error:
        raise ProvisionError(f"Building {recipe.reference} failed: {error}") from error
    image.tag(*recipe.reference.rsplit(":", 1))


def _check(recipe: Recipe, *, printed: str) -> None:
    """Raise ProvisionError unless the image holds what its name says."""
    if recipe.proved_by not in printed:
        raise ProvisionError(
            f"What is in {recipe.reference} is not what its name says: {recipe.proof[0]} was to "
            f"print {recipe.proved_by!r}, and printed:\n{printed.strip()}",
            remedy="if the distribution has another release now, change harness/provision/images",
        )


def _prove(client: "docker.DockerClient", image_id: str, recipe: Recipe) -> str:
    """Return what the proof prints in a container of the image that is gone afterwards."""
    program, *arguments = recipe.proof
    container = client.containers.create(
        image_id,
        entrypoint=[program],
        command=arguments,
        network_mode="none",
        labels={LABEL: PROOF},
    )
    try:
        container.start()
        container.wait(timeout=PROOF_DEADLINE_S)
        return str(container.logs().decode("utf-8", "replace"))
    finally:
        container.remove(force=True, v=True)


def _context(recipe: Recipe) -> IO[bytes]:
    """Return an archive of what the steps copy, with the steps themselves."""
    archive = tempfile.TemporaryFile()  # noqa: SIM115  # the caller's to close
    with tarfile.open(fileobj=archive, mode="w") as packing:
        steps = recipe.steps.encode()
        entry = tarfile.TarInfo("Dockerfile")
        entry.size = len(steps)
        packing.addfile(entry, io.BytesIO(steps))
        for name, path in recipe.files.items():
            packing.add(path, arcname=name, filter=_anonymous)
    archive.seek(0)
    return archive


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return an entry that everybody may read, whoever owns it in the user's cache."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
    return entry
