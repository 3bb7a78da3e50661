"""What a night was asked for, and whatever is wrong with that, before anything is started."""

from dataclasses import dataclass
from pathlib import Path

from harness.campaign.campaign import sequence_of
from harness.campaign.folder import Asked
from harness.campaign.night_record import FILE
from harness.campaign.regression import Repeats, read_regression
from harness.campaign.replay import repeats_of
from harness.errors import UsageError
from harness.lab.choice import LabChoice

SHORTEST_S = 240.0
"""A night in which every step is worth its labs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a night was asked for."""

    folder: Path
    asked: Asked
    choice: LabChoice
    labs: int
    time_s: float
    regressions: tuple[Repeats, ...] = ()
    """Those of this shard."""
    runs_a_failure: int = 40
    """How many runs the minimiser may use for each failure."""


def plan_night(
    folder: Path,
    asked: Asked,
    *,
    choice: LabChoice,
    labs: int,
    time_s: float,
    regressions: Path,
    runs_a_failure: int,
) -> Plan:
    """Return what will be played; UsageError for whatever is wrong, before anything is started."""
    if time_s < SHORTEST_S:
        raise UsageError(
            f"A night of {time_s:g} s is too short for all its steps",
            remedy=f"say --time {SHORTEST_S / 60:g}m or more; `harness campaign` plays for less",
        )
    sequence_of(asked)
    files = sorted(regressions.glob("*.json"))[asked.shard - 1 :: asked.of]
    pinned = tuple(repeats_of(read_regression(file), name=file.stem) for file in files)
    if (folder / FILE).exists():
        raise UsageError(f"{folder} holds a night already", remedy="name another folder with -o")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"The folder {folder} cannot be made: {error.strerror}",
            remedy="name another one with -o",
        ) from error
    return Plan(
        folder=folder.absolute(),
        asked=asked,
        choice=choice,
        labs=labs,
        time_s=time_s,
        regressions=pinned,
        runs_a_failure=runs_a_failure,
    )
