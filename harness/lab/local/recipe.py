"""What a local lab is made from: programs and files on this machine, as provisioning found them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.provision.parts import Parts, java_command
from harness.provision.postgres import postgres_user


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything that starting a lab needs to know about this machine."""

    java: tuple[str, ...]
    """Java with its flags and class path; options and the main class follow."""
    toxiproxy: Path
    postgres_bin: Path
    kafka_version: str
    features: Mapping[str, int]
    postgres_version: str
    postgres_user: str | None
    """Account that runs PostgreSQL, None for this one."""
    bootstrap_checkpoint: Path
    """What `kafka-storage format` writes beside `meta.properties`."""
    described: Mapping[str, str]
    """Version and origin of every part, for people."""


def recipe_of(parts: Parts) -> Recipe:
    """Return the recipe for these parts."""
    return Recipe(
        java=tuple(java_command(parts)),
        toxiproxy=parts.toxiproxy,
        postgres_bin=parts.postgres_bin,
        kafka_version=parts.kafka_version,
        features=parts.features,
        postgres_version=dict(parts.found)["postgresql"].version,
        postgres_user=postgres_user(),
        bootstrap_checkpoint=parts.bootstrap_checkpoint,
        described=parts.describe(),
    )
