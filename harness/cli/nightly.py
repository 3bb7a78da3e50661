"""Commands for every night: one that plays it, one that adds up what several machines played."""

import signal
import sys
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click

from harness.cli.asked import LABS, PIPELINE, SEED, SHARD, VARIANT, Duration, new_seed
from harness.cli.options import lab_options, note, note_broken_off, tell
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.campaign.folder import Asked
    from harness.campaign.night_plan import Plan
    from harness.campaign.night_record import Night
    from harness.lab.choice import LabChoice

_OUTPUT = click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="A new folder for night.json, summary.md, the report and everything played.",
)
PACKED = "failing-runs.tar.gz"


@click.command()
@click.option("--time", "time_s", type=Duration(), required=True, help="How long: 30m, 2h.")
@click.option(
    "--regressions",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Pinned regressions, played first; default: scenarios/regressions, if there are any.",
)
@click.option(
    "--minimise-runs",
    "runs_a_failure",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="How many runs may be spent on making one failure small.",
)
@SHARD
@SEED
@VARIANT
@PIPELINE
@LABS
@_OUTPUT
@lab_options
def nightly(  # noqa: PLR0913  # one parameter an option
    *,
    time_s: float,
    regressions: Path | None,
    runs_a_failure: int,
    shard: tuple[int, int],
    seed: int | None,
    variant: str | None,
    pipeline_name: str,
    labs: int,
    output: Path,
    choice: "LabChoice",
) -> None:
    """Play a night: pinned regressions, campaigns within and over the safe budget, a report.

    New failures are made small. An unsafe variant makes a red night on purpose: a fire drill.

    Examples: harness nightly --time 2h -o night
              harness nightly --time 2h --shard 2/8 --seed 42 -o night
    """
    from harness.campaign.folder import asked_of  # noqa: PLC0415
    from harness.campaign.night_plan import plan_night  # noqa: PLC0415
    from harness.run.plan import spec_of  # noqa: PLC0415

    spec, seed = spec_of(pipeline_name, variant), _seed(seed, shard)
    plan = plan_night(
        output,
        asked_of(spec, budget="safe", seed=seed, shard=shard, choice=choice),
        choice=choice,
        labs=labs,
        time_s=time_s,
        regressions=regressions or Path("scenarios/regressions"),
        runs_a_failure=runs_a_failure,
    )
    sys.exit(_play(plan, output))


def _seed(seed: int | None, shard: tuple[int, int]) -> int:
    if seed is None and shard[1] > 1:
        raise UsageError(
            f"Shard {shard[0]}/{shard[1]} has no seed: shards add up only if all have the same one",
            remedy="say --seed 42, the same on every machine, and another one the next night",
        )
    return new_seed() if seed is None else seed


@click.command()
@click.argument("nights", nargs=-1, required=True, type=click.Path(path_type=Path))
@_OUTPUT
def merge(nights: tuple[Path, ...], output: Path) -> None:
    """Add up the nights of several shards: one summary, one report, one exit code.

    A shard that is missing makes the whole a HARNESS_ERROR, unless another one FAILED.

    Example: harness merge shards/* -o night
    """
    from harness.campaign.night_record import FILE, merged, read_night  # noqa: PLC0415

    names = [night.resolve().name for night in nights]
    if len(set(names)) < len(names):
        raise UsageError(
            f"Two of these folders have the same name: {', '.join(sorted(names))}",
            remedy="give each shard's folder a name of its own",
        )
    there = {
        name: read_night(night)
        for name, night in zip(names, nights, strict=True)
        if (night / FILE).exists()
    }
    night = merged(there)
    output.mkdir(parents=True, exist_ok=True)
    sources = [each for night in nights for each in sorted((night / "campaigns").glob("*"))]
    sys.exit(_close(night, output, campaigns=sources, failing=()))


def _title(asked: "Asked", output: Path) -> str:
    of = "" if asked.of == 1 else f", shard {asked.shard}/{asked.of}"
    return f"night {output}: root seed {asked.seed}{of}"


def _play(plan: "Plan", output: Path) -> int:
    """Play it to its end, or until somebody ends it; either way say what it came to."""
    from harness.campaign.night import NightPlayer  # noqa: PLC0415
    from harness.campaign.pool import LabPool  # noqa: PLC0415

    def labs(runs: Path) -> LabPool:
        return LabPool(plan.labs, choice=plan.choice, runs=runs, progress=note)

    click.echo(_title(plan.asked, output))
    player = NightPlayer(plan, pools=labs, tell=tell, say=click.echo)
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _once)
    ended = None
    try:
        player.play()
    except KeyboardInterrupt:
        ended = note_broken_off()
    proven = _close(
        player.record(), output, campaigns=player.campaigns(), failing=player.failing_runs()
    )
    return ended or proven


def _once(_number: int, _frame: FrameType | None) -> None:
    """Break off, once: whoever asks again waits until the labs are down and the rest is written."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    raise KeyboardInterrupt


def _close(
    night: "Night", output: Path, *, campaigns: Iterable[Path], failing: Sequence[Path]
) -> int:
    """Write the report, the failing runs, `night.json` and `summary.md`; return the exit code."""
    from dataclasses import replace  # noqa: PLC0415

    from harness.campaign.night_record import write_night  # noqa: PLC0415
    from harness.campaign.night_summary import summary_md  # noqa: PLC0415

    packed = _pack(failing, output) if failing else None
    write_night(replace(night, failing_runs=packed), output)  # whatever the report comes to
    report = _report(tuple(campaigns), output / "report.html")
    night = replace(night, failing_runs=packed, report=report)
    write_night(night, output)
    text = summary_md(night)
    (output / "summary.md").write_text(text, encoding="utf-8")
    click.echo(f"\n{text}\n{night.outcome}: {output / 'summary.md'}")
    return night.exit_code


def _pack(runs: Sequence[Path], output: Path) -> str:
    root = output.absolute()  # as the runs' folders are: none has followed a link
    with tarfile.open(output / PACKED, "w:gz") as archive:
        for run in runs:
            archive.add(run, arcname=str(run.relative_to(root)))
    return PACKED


def _report(campaigns: tuple[Path, ...], html: Path) -> str | None:
    """Write the report; None, and a line, where none can be made: a night is more than that."""
    from harness.report import publish_at_the_end  # noqa: PLC0415

    if not campaigns:
        return None
    nights = dict.fromkeys(campaign.parents[1] for campaign in campaigns)
    minimised = [file for night in nights for file in sorted((night / "minimised").glob("*.json"))]
    note(publish_at_the_end([*campaigns, *minimised], html))
    return html.name if html.is_file() else None
