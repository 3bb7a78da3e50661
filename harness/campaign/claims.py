"""The claims of the catalogue, played: a safe variant holds, an unsafe one is caught."""

from harness.pipeline.catalogue import catalogue
from harness.run.plan import default_schedule, shown_by, variant
from harness.run.session import CATCH_TIMES, LabSession


def claims(*rows: str, but: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the names of the catalogue's variants of these rows, but for some.

    What was not provoked has no schedule, and is left out.
    """
    return tuple(
        entry.variant.name
        for entry in catalogue()
        if entry.variant.row in rows and not entry.variant.tried and entry.variant.name not in but
    )


def play_claim(lab: LabSession, name: str) -> None:
    """Play a variant with the schedule that shows it, an unsafe one until it is caught.

    As often as its measured probability asks for. AssertionError if it is not as it claims.
    """
    entry = next(each for each in catalogue() if each.variant.name == name)
    spec = variant(name)
    schedule = shown_by(spec) or default_schedule(spec)
    if entry.variant.safe:
        lab.play(spec, schedule).assert_exactly_once()
    else:
        times = max(entry.repeats or 0, CATCH_TIMES)
        lab.play_until_caught(spec, schedule, times=times)
