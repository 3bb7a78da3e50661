"""Which lab is asked for: its profile of time-outs, its Kafka release, its feature levels, where.

It turns what a person typed into values, or into one error before anything is fetched.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from harness.errors import UsageError
from harness.lab.profile import FAST, Profile, profile_named, release_of
from harness.provision.backend import Backend, BackendChoice
from harness.provision.checkpoint import levels
from harness.provision.images.names import Images, SetName, image_set
from harness.provision.kafka import KAFKA_VERSION

CORES_A_LAB = 2
"""What one keeps busy, booting or judging (`docs/nightly.md`)."""
OLDEST = (3, 9)
"""The first release whose quorum, storage tool and bootstrap checkpoint are what a lab needs."""


def labs_that_fit() -> int:
    """Return how many labs this machine has the cores for; one is always tried."""
    return max(1, (os.cpu_count() or 1) // CORES_A_LAB)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabChoice:
    """What a lab is started with."""

    profile: Profile = FAST
    kafka_version: str = KAFKA_VERSION
    features: Mapping[str, int] = field(default_factory=dict)
    """Feature levels of a new cluster that differ from the release's own, by name."""
    backend: Backend = "local"
    images: SetName = "public"
    """The set that the containers of the docker backend are started from."""

    def words(self) -> dict[str, object]:
        """Return what `choose` was asked for, as JSON values: `choose(**words)` is equal to it."""
        return {
            "profile": self.profile.name,
            "kafka_version": self.kafka_version,
            "features": levels(self.features),
            "backend": self.backend,
            "images": self.images,
        }

    def on(self, chosen: BackendChoice) -> "LabChoice":
        """Return the same on the backend that was chosen."""
        return replace(self, backend=chosen.backend, images=chosen.images)

    def image_set(self) -> Images:
        """Return the images that its containers are started from."""
        return image_set(self.images, kafka_version=self.kafka_version)

    def also(
        self, *, kafka: str | None, features: Mapping[str, int], broker: Mapping[str, str]
    ) -> "LabChoice":
        """Return the same with what a variant needs: another release, levels, settings of nodes."""
        profile = replace(self.profile, broker={**self.profile.broker, **broker})
        return replace(
            self,
            profile=profile,
            kafka_version=kafka or self.kafka_version,
            features={**self.features, **features},
        )


def choose(
    *,
    profile: str = FAST.name,
    kafka_version: str = KAFKA_VERSION,
    features: Iterable[str] = (),
    backend: Backend = "local",
    images: SetName = "public",
) -> LabChoice:
    """Return the choice that these words stand for; UsageError for one that cannot be meant.

    Whether a release exists is Maven's to say, when its jars are fetched.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+(-[A-Za-z0-9.]+)?", kafka_version):
        raise UsageError(
            f"{kafka_version} is no release of Kafka",
            remedy=f"name one in full, as Maven does: --kafka {KAFKA_VERSION}",
        )
    if release_of(kafka_version) < OLDEST:
        raise UsageError(
            f"Kafka {kafka_version} is older than a lab can run",
            remedy=f"use {'.'.join(map(str, OLDEST))}.0 or newer, such as --kafka 3.9.1",
        )
    return LabChoice(
        profile=profile_named(profile),
        kafka_version=kafka_version,
        features=dict(_level(each) for each in features),
        backend=backend,
        images=images,
    )


def _level(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"([a-z][a-z.]*)=(\d+)", text)
    if match is None:
        raise UsageError(
            f"{text} is no feature level",
            remedy="write NAME=LEVEL, as in eligible.leader.replicas.version=0",
        )
    return match[1], int(match[2])
