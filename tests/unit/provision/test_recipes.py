"""What images are made from: a name for it that changes with every part, and locks that agree."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.provision.images import debian, role
from harness.provision.images.names import OWN, ROLE
from harness.provision.images.recipes import BASE, PACKAGES, Recipe

ROOT = Path(__file__).parents[3]


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """Return a recipe with one file."""
    jar = tmp_path / "a.jar"
    jar.write_bytes(b"1")
    return Recipe(
        reference=OWN.kafka,
        steps="FROM base\n",
        files={"libs/a.jar": jar},
        proof=("java", "-version"),
        proved_by="17",
    )


def test_every_part_changes_the_name_of_what_an_image_is_made_from(recipe: Recipe) -> None:
    """The base, the steps, a file's bytes and a file's name; nothing else."""
    jar = recipe.files["libs/a.jar"]
    first = recipe.digest(base="b1")
    assert recipe.digest(base="b1") == first == replace(recipe, proved_by="21").digest(base="b1")
    others = [
        recipe.digest(base="b2"),
        replace(recipe, steps="FROM base\nUSER 1000\n").digest(base="b1"),
        replace(recipe, files={"libs/b.jar": jar}).digest(base="b1"),
        replace(recipe, files={}).digest(base="b1"),
    ]
    jar.write_bytes(b"2")
    others.append(recipe.digest(base="b1"))
    assert len({first, *others}) == 1 + len(others)


def test_an_image_from_scratch_does_not_depend_on_the_base(recipe: Recipe) -> None:
    """New packages of the distribution do not make it anew."""
    scratch = replace(recipe, needs_base=False)
    assert scratch.digest(base="b1") == scratch.digest(base="b2")


def test_the_base_is_made_anew_when_its_list_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is made of what is asked for."""
    before = debian.digest()
    monkeypatch.setattr(debian, "PACKAGES", (*PACKAGES, "nano"))
    assert debian.digest() != before


def test_names_are_the_projects_own() -> None:
    """They cannot be mistaken for, or pulled instead of, what somebody publishes."""
    assert {each.partition("/")[0] for each in (*OWN.all(), ROLE, BASE)} == {"zero-loss-harness"}


def test_roles_get_the_libraries_of_the_harnesss_own_environment() -> None:
    """Version for version: in a container a role is the same client."""
    own, environment = _pins(role.LOCK), _pins(ROOT / "requirements.lock")
    assert own.keys() >= {"confluent-kafka", "psycopg", "psycopg-binary", "redis", "kazoo"}
    assert {name: environment.get(name) for name in own} == own


def test_roles_get_the_reference_pipeline_and_no_more_of_the_harness() -> None:
    """What the layers let it import, and nothing that was compiled on this machine."""
    code = dict(role._code())  # noqa: SLF001  # without a download
    assert {"pipeline/reference/relay.py", "pipeline/reference/schema.sql", "errors.py"} < set(code)
    assert all(file.is_file() for file in code.values())
    assert not [name for name in code if name.endswith(".pyc") or name.startswith("lab/")]


def _pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", lock.read_text(encoding="utf-8")))
