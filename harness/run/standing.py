"""Plays runs on the lab that `docker compose up` has standing, instead of one of their own."""

from collections.abc import Callable, Iterable
from pathlib import Path

from harness.errors import UsageError
from harness.lab.choice import LabChoice
from harness.lab.protocol import Lab
from harness.pipeline.spec import Needs
from harness.provision import backend
from harness.run.events import Observer
from harness.run.session import NOTHING_SPECIAL, LabSession, StartLab


def standing_session(
    choice: LabChoice,
    *,
    runs: Path,
    progress: Callable[[str], None],
    observers: Iterable[Observer] = (),
) -> LabSession:
    """Return a session whose runs play on the standing lab."""
    return LabSession(
        start=standing_start(choice, progress=progress),
        runs=runs,
        observers=observers,
        provide_service=lambda _: None,  # those that stand are there
        require_image=backend.require_role_image,
        progress=progress,
    )


def standing_start(choice: LabChoice, *, progress: Callable[[str], None]) -> StartLab:
    """Return what attaches to the standing lab.

    UsageError, at its first use, where the standing lab is not what was chosen, and for a variant
    that needs another one.
    """

    def start(needs: Needs = NOTHING_SPECIAL) -> Lab:
        if needs != NOTHING_SPECIAL or choice.features:
            raise UsageError(
                "What is asked for needs a cluster of its own from its first start on",
                remedy="leave --lab out: a lab is started for it",
            )
        from harness.lab.docker.standing import attach_standing_lab  # noqa: PLC0415  # see session

        return attach_standing_lab(
            profile=choice.profile.name, kafka_version=choice.kafka_version, progress=progress
        )

    return start
