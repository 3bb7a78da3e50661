"""Images that a real engine builds: once, whole, proved, and anew when their parts change."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from harness.clock import wait_until
from harness.errors import ProvisionError
from harness.provision import toxiproxy
from harness.provision.images import build, engine, names
from harness.provision.images.debian import LABEL
from harness.provision.images.recipes import Recipe
from harness.provision.values import silent

SCRATCH = "FROM scratch\nCOPY server /server\nCOPY note /note\nVOLUME /kept\n"


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Return the SDK's client of the engine."""
    try:
        connected = engine.connect(deadline_s=build.DEADLINE_S)
    except engine.EngineError as error:
        pytest.skip(f"no engine: {error.message}")
    with build.turn():  # beside a `harness images build` of somebody else
        build.update(connected, [], base="", progress=silent)  # clears what a killed one left
        yield connected
    connected.close()


@pytest.fixture
def recipe(client: Any, tmp_path: Path) -> Iterator[Recipe]:  # noqa: ANN401  (docker has no types)
    """Return a small image with a server in it, under a name that is gone afterwards."""
    note = tmp_path / "note"
    note.write_text("one")
    reference = f"{names.PROJECT}/test:{uuid4().hex}"
    yield Recipe(
        reference=reference,
        steps=SCRATCH,
        files={"server": toxiproxy.provide().path, "note": note},
        proof=("/server", "-version"),
        proved_by="toxiproxy-server version",
        needs_base=False,
    )
    if client.images.list(reference):
        client.images.remove(reference)


def test_an_image_is_built_once_and_anew_when_its_parts_change(
    client: Any,  # noqa: ANN401
    recipe: Recipe,
) -> None:
    """The label holds what it was made from; nothing of the proof or of the old one stays."""
    before = _ours(client)
    assert build.update(client, [recipe], base="", progress=silent) == (recipe.reference,)
    first = client.images.get(recipe.reference)
    assert first.labels[LABEL] == recipe.digest(base="")
    assert build.update(client, [recipe], base="", progress=silent) == ()

    recipe.files["note"].write_text("two")
    assert build.update(client, [recipe], base="", progress=silent) == (recipe.reference,)
    second = client.images.get(recipe.reference)
    assert second.id != first.id
    assert second.labels[LABEL] == recipe.digest(base="") != first.labels[LABEL]
    assert not [image for image in client.images.list(all=True) if image.id == first.id]

    client.images.remove(recipe.reference)
    assert _ours(client) == before


def test_a_server_that_is_another_release_gets_no_name(
    client: Any,  # noqa: ANN401
    recipe: Recipe,
) -> None:
    """What its tag would say has to be what the server says."""
    wrong = replace(recipe, proved_by="version 99")
    with pytest.raises(
        ProvisionError, match=r"(?s)is not what its name says.*toxiproxy-server version"
    ):
        build.update(client, [wrong], base="", progress=silent)
    assert not client.images.list(recipe.reference)


def test_a_program_that_is_not_there_gets_no_name(
    client: Any,  # noqa: ANN401
    recipe: Recipe,
) -> None:
    """The engine's own words are passed on."""
    wrong = replace(recipe, proof=("/nothing",))
    with pytest.raises(ProvisionError, match=f"Building {recipe.reference} failed.*nothing"):
        build.update(client, [wrong], base="", progress=silent)
    assert not client.images.list(recipe.reference)


def test_what_a_killed_build_left_is_removed_by_the_next(
    client: Any,  # noqa: ANN401
    recipe: Recipe,
) -> None:
    """SIGKILL in the middle of a proof leaves a container, its volume and an image without name."""
    before = _ours(client)
    endless = replace(recipe, proof=("/server",))
    with subprocess.Popen([sys.executable, "-c", BUILD, *map(str, _plain(endless))]) as process:
        try:
            wait_until(lambda: _is_proving(client), deadline_s=60, describe="a proof that runs")
        finally:
            process.kill()
    (left,) = _proofs(client)
    (volume,) = [mount["Name"] for mount in left.attrs["Mounts"]]
    assert len(_ours(client)) > len(before)

    assert build.update(client, [recipe], base="", progress=silent) == (recipe.reference,)
    client.images.remove(recipe.reference)
    assert _ours(client) == before
    assert volume not in {each.name for each in client.volumes.list()}


BUILD = """
import sys
from pathlib import Path
from harness.provision.images import build, engine
from harness.provision.images.recipes import Recipe

reference, steps, server, note, program = sys.argv[1:]
recipe = Recipe(
    reference=reference, steps=steps, files={"server": Path(server), "note": Path(note)},
    proof=(program,), proved_by="", needs_base=False,
)
build.update(engine.connect(deadline_s=60), [recipe], base="", progress=print)
"""


def _plain(recipe: Recipe) -> tuple[object, ...]:
    """Return what BUILD makes the same recipe of."""
    return (recipe.reference, recipe.steps, *recipe.files.values(), *recipe.proof)


def _is_proving(client: Any) -> bool:  # noqa: ANN401
    return any(each.status == "running" for each in _proofs(client))


def _proofs(client: Any) -> list[Any]:  # noqa: ANN401
    """Return the containers that prove an image, whether they run or not."""
    proof = {"label": f"{LABEL}={build.PROOF}"}
    # One that is only being made is listed before the engine can tell more of it.
    proofs: list[Any] = client.containers.list(all=True, ignore_removed=True, filters=proof)
    return proofs


def _ours(client: Any) -> set[str]:  # noqa: ANN401
    """Return the ids of all containers and images that building has to answer for."""
    images = client.images.list(filters={"label": LABEL})
    return {each.id for each in (*_proofs(client), *images)}
