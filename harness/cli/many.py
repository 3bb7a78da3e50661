"""Commands about many runs: campaigns, replays, minimised failures."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.asked import LABS, Duration, asked_options, refuse_asked
from harness.cli.options import RUNS_OPTION, lab_options, note, note_broken_off, note_error, tell
from harness.clock import monotonic_s
from harness.errors import HarnessError, UsageError

if TYPE_CHECKING:
    from harness.campaign.campaign import Until
    from harness.campaign.folder import Asked, CampaignFolder
    from harness.campaign.minimising import Failure
    from harness.campaign.result import Result
    from harness.lab.choice import LabChoice

_CAMPAIGNS_BEFORE = 30
"""Earlier campaigns of the same kind that a campaign's report looks back on."""


@click.command()
@click.option("--time", "time_s", type=Duration(), help="How long: 90s, 30m, 2h.")
@click.option("--schedules", type=click.IntRange(1), help="How many runs at the most.")
@click.option(
    "--until-caught",
    is_flag=True,
    help="End with the first run that FAILED, of an unsafe variant as it claims.",
)
@click.option(
    "--keep",
    type=click.Choice(["failed", "all"]),
    default="failed",
    show_default=True,
    help="Whose witnesses and journals stay: of all runs, or of those that did not pass.",
)
@click.option(
    "--campaigns",
    type=click.Path(path_type=Path),
    default=Path("campaigns"),
    show_default=True,
    help="Where campaign folders are made.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    help="Go on with a campaign that was broken off; it says by itself what it plays.",
)
@LABS
@asked_options
def campaign(  # noqa: PLR0913  # one parameter an option
    *,
    time_s: float | None,
    schedules: int | None,
    until_caught: bool,
    keep: str,
    campaigns: Path,
    resume: Path | None,
    labs: int,
    asked: "Asked",
    choice: "LabChoice",
) -> None:
    """Play every single fault, every pair of faults, then random schedules until the time is up.

    Ctrl-C takes the labs down and still sums up; `--resume` goes on later.

    Examples: harness campaign --time 30m --labs 2
              harness campaign --time 10m --variant acks-1 --until-caught
              harness campaign --time 2h --shard 2/8 --seed 42
              harness campaign --time 1h --resume campaigns/20261125T010000.000-outbox-safe
    """
    from harness.campaign.campaign import Until, sequence_of  # noqa: PLC0415
    from harness.campaign.folder import CampaignFolder  # noqa: PLC0415

    if time_s is None and schedules is None:
        raise UsageError("A campaign needs an end", remedy="say --time 30m or --schedules 100")
    if resume is not None:
        refuse_asked(beside="--resume")
        folder = CampaignFolder.open(resume)
        sequence_of(folder.asked)
    else:
        sequence_of(asked)  # tells what is wrong before a folder is made
        folder = CampaignFolder.make(campaigns, asked)
    until = Until(time_s=time_s, runs=schedules, caught=until_caught)
    sys.exit(_campaign(folder, until=until, labs=labs, keep=keep, where=choice))


def _campaign(
    folder: "CampaignFolder", *, until: "Until", labs: int, keep: str, where: "LabChoice"
) -> int:
    """Play, tell each run in a line, and sum up, however it ends."""
    from harness.campaign.campaign import play_campaign  # noqa: PLC0415
    from harness.campaign.pool import LabPool  # noqa: PLC0415
    from harness.campaign.summary import exit_code, summary  # noqa: PLC0415
    from harness.lab.choice import choose  # noqa: PLC0415

    asked = folder.asked
    choice = choose(
        profile=asked.profile,
        kafka_version=asked.kafka,
        features=asked.features,
        backend=where.backend,
        images=where.images,
    )
    click.echo(f"campaign {folder.path}\nroot seed {asked.seed}, budget {asked.budget}")
    before, began = sum(1 for _ in folder.results()), monotonic_s()
    ended = None
    try:
        with LabPool(labs, choice=choice, runs=folder.runs, progress=note) as pool:
            play_campaign(
                folder, pool, until=until, keep="all" if keep == "all" else "failed", tell=tell
            )
    except KeyboardInterrupt:
        ended = note_broken_off()
    except UsageError:
        raise  # nothing was played
    except HarnessError as error:
        ended = note_error(error)
    results = tuple(folder.results())
    new = len(results) - before
    wall_s = monotonic_s() - began if new == len(results) else None
    click.echo(f"\n{summary(results, wall_s=wall_s)}")
    click.echo(_report(folder))
    click.echo(f"\ngo on with it: harness campaign --time 30m --resume {folder.path}")
    return ended or exit_code(results)


def _report(folder: "CampaignFolder") -> str:
    """Write the campaign's report into its folder; earlier campaigns of its kind are history."""
    from harness.report import publish_at_the_end  # noqa: PLC0415

    kind = folder.path.name.partition("-")[2]
    alike = sorted(folder.path.parent.glob(f"*-{kind}"))[-_CAMPAIGNS_BEFORE:]
    return publish_at_the_end([folder.path], folder.path / "report.html", earlier=alike)


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@click.option("--times", type=click.IntRange(1), default=10, show_default=True)
@LABS
@RUNS_OPTION
@lab_options
def replay(
    *,
    what: Path,
    times: int,
    labs: int,
    runs: Path,
    choice: "LabChoice",
) -> None:
    """Play one schedule again, several times, and say how often it fails.

    WHAT is a schedule.json, a regression, or a run folder.

    Example: harness replay runs/20261124T031500.123-outbox-1a2b3c4d5e6f --times 20 --labs 2
    """
    from harness.campaign.pool import LabPool  # noqa: PLC0415
    from harness.campaign.replay import replay_jobs, replay_summary, worst  # noqa: PLC0415

    jobs = replay_jobs(what, times=times)
    results: list[Result] = []
    ended = None
    try:
        with LabPool(min(labs, times), choice=choice, runs=runs, progress=note) as pool:
            for result in pool.play(jobs):
                results.append(result)
                tell(result)
    except KeyboardInterrupt:
        ended = note_broken_off()
    except HarnessError as error:
        ended = note_error(error)
    click.echo(f"\n{replay_summary(results)}")
    sys.exit(ended or worst(results))


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@click.option("--budget-runs", type=click.IntRange(1), default=60, show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Pin the result there, e.g. scenarios/regressions/lost-order.json.",
)
@LABS
@RUNS_OPTION
@lab_options
def minimise(
    *,
    what: Path,
    budget_runs: int,
    output: Path | None,
    labs: int,
    runs: Path,
    choice: "LabChoice",
) -> None:
    """Find the fewest and mildest faults that still make a run fail in the same way.

    Ctrl-C takes the labs down, and what was found so far is told and pinned.

    WHAT is a run folder that FAILED, a regression, or a schedule.json.

    Example: harness minimise runs/20261124T031500.123-acks-1-1a2b3c4d5e6f --labs 2
    """
    from harness.campaign.minimising import failure_of  # noqa: PLC0415

    search = _Search(choice=choice, labs=labs, runs=runs, budget_runs=budget_runs)
    sys.exit(_minimise(failure_of(what), search, output=output))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    choice: "LabChoice"
    labs: int
    runs: Path
    budget_runs: int


def _minimise(failure: "Failure", search: _Search, *, output: Path | None) -> int:
    """Search, tell the story, pin what was found, however it ends; return the exit code."""
    from harness.campaign import minimising  # noqa: PLC0415
    from harness.campaign.pool import LabPool  # noqa: PLC0415
    from harness.campaign.regression import write_regression  # noqa: PLC0415

    ended = 0
    try:
        with LabPool(search.labs, choice=search.choice, runs=search.runs, progress=note) as pool:
            found, shown = minimising.minimise_failure(
                failure,
                pool,
                labs=search.labs,
                runs_budget=search.budget_runs,
                tell=lambda result, _: tell(result),
            )
    except minimising.BrokenOff as broken:
        found, shown, ended = broken.found, broken.shown, note_broken_off()
    except minimising.GivenUpError as error:
        found, shown, ended = error.found, error.shown, note_error(error)
    click.echo(f"\n{minimising.story(found)}")
    pinned = minimising.regression_of(found, shown, found_in=failure.found_in, choice=search.choice)
    if pinned is None:
        click.echo("\nit never failed again: nothing to pin")
        return ended or 3
    if output is not None:
        write_regression(pinned, output)
        click.echo(f"\npinned: {output}")
    return ended
