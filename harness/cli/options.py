"""Options and small answers that several commands share."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.errors import HarnessError, UsageError
from harness.provision.kafka import KAFKA_VERSION

if TYPE_CHECKING:
    from harness.campaign.result import Result

RUNS = Path("runs")
PROFILE = click.option(
    "--profile",
    default="fast",
    show_default=True,
    help="Time-outs of nodes and clients: fast, or production (Kafka's own defaults).",
)
KAFKA = click.option(
    "--kafka",
    "kafka_version",
    default=KAFKA_VERSION,
    show_default=True,
    help="Any release from 3.9.0 on that Maven has.",
)
FEATURE = click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME=LEVEL",
    help="A feature level the new cluster begins with, e.g. eligible.leader.replicas.version=0.",
)

BACKEND = click.option(
    "--backend",
    default="auto",
    show_default=True,
    help="Where the lab runs: local (processes), docker (containers), or auto, which is docker "
    "where an engine answers that has the images.",
)
IMAGES = click.option(
    "--images",
    default="auto",
    show_default=True,
    help="What containers are started from: public, own (`harness images build`), or auto, which "
    "is own where they are built.",
)


def lab_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which lab is wanted; the command is given the `choice`."""

    @wraps(command)
    def with_choice(  # one parameter an option
        *,
        profile: str,
        kafka_version: str,
        features: tuple[str, ...],
        backend: str,
        images: str,
        **others: object,
    ) -> None:
        from harness.lab.choice import choose  # noqa: PLC0415
        from harness.provision.backend import choose as choose_backend  # noqa: PLC0415

        choice = choose(profile=profile, kafka_version=kafka_version, features=features)
        chosen = choose_backend(backend, images=images, kafka_version=kafka_version)
        command(choice=choice.on(chosen), **others)

    for option in (IMAGES, BACKEND, FEATURE, KAFKA, PROFILE):
        with_choice = option(with_choice)
    return with_choice


RUNS_OPTION = click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where run folders are made.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")


def existing_run(run_folder: Path) -> Path:
    """Return it, or tell that it is no run folder."""
    if not (run_folder / "timeline.jsonl").is_file():
        raise UsageError(
            f"{run_folder} is no run folder: it holds no timeline.jsonl",
            remedy="name a folder under runs/",
        )
    return run_folder


def note(line: str) -> None:
    """Tell, beside the results, what is fetched or started."""
    click.echo(line, err=True)


def note_broken_off() -> int:
    """Tell that somebody ended what was played; return the exit code, as shells have it."""
    note("broken off; the labs were taken down")
    return 130


def note_error(error: HarnessError) -> int:
    """Tell the error that ended what was played; return its exit code."""
    note(f"harness: {error}")
    return error.exit_code


def tell(result: "Result") -> None:
    """Tell one run of many in a line, and in a second one why it did not pass."""
    faults = "; ".join(str(fault) for fault in result.schedule.faults) or "no fault"
    why = "" if result.outcome == "PASSED" else f"\n      {'; '.join(result.reasons)}"
    head = f"{result.index:5} {result.phase:7} {result.outcome:13} {result.took_s:5.1f} s"
    click.echo(f"{head}  {faults}{why}")


def width() -> int:
    """Return how many columns there are to write in."""
    columns = os.get_terminal_size().columns if sys.stdout.isatty() else 100
    return max(60, min(columns, 140))
