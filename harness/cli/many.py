"""Commands about many runs: campaigns, replays, minimised failures."""

import secrets
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import BACKEND, RUNS_OPTION, lab_options
from harness.clock import monotonic_s
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.campaign.campaign import Until
    from harness.campaign.folder import Asked, CampaignFolder
    from harness.campaign.result import Result
    from harness.lab.choice import LabChoice

_UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
_LABS = click.option(
    "--labs",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="How many labs play side by side on this machine.",
)


class Duration(click.ParamType):  # type: ignore[type-arg]  # not generic at run time
    """A length of time in seconds: `90s`, `30m`, `2h`."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        text = str(value).strip()
        try:
            return float(text[:-1]) * _UNITS_S[text[-1:]]
        except (KeyError, ValueError):
            self.fail(f"{text!r} is no length of time: write 90s, 30m or 2h", param, ctx)


class Shard(click.ParamType):  # type: ignore[type-arg]  # not generic at run time
    """Which part of a campaign this machine plays: `2/8`."""

    name = "shard"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, int]:
        """Return the shard, counted from 1, and how many there are."""
        if isinstance(value, tuple):
            return value
        shard, _, of = str(value).partition("/")
        if not (shard.isdigit() and of.isdigit() and 1 <= int(shard) <= int(of)):
            self.fail(f"{value!r} is no shard: write 1/8 to 8/8", param, ctx)
        return int(shard), int(of)


_ASKED = (
    click.option("--shard", type=Shard(), default=(1, 1), help="Which part is played: 2/8."),
    click.option("--seed", type=int, help="The root seed; default: a new one."),
    click.option(
        "--budget", type=click.Choice(["safe", "over"]), default="safe", show_default=True
    ),
    click.option("--variant", help="A named set of overrides; see `harness variants`."),
    click.option("--pipeline", "pipeline_name", default="outbox", show_default=True),
)


def _asked(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what a campaign plays; the command is given them as `asked`."""

    @wraps(command)
    def with_asked(  # one parameter an option
        *,
        pipeline_name: str,
        variant: str | None,
        budget: str,
        seed: int | None,
        shard: tuple[int, int],
        choice: "LabChoice",
        **others: object,
    ) -> None:
        from harness.campaign.folder import Asked  # noqa: PLC0415
        from harness.run.plan import called, spec_of  # noqa: PLC0415

        asked = Asked(
            pipeline=called(spec_of(pipeline_name, variant)),
            variant=variant,
            budget="over" if budget == "over" else "safe",
            seed=secrets.randbits(32) if seed is None else seed,
            shard=shard[0],
            of=shard[1],
            profile=choice.profile.name,
            kafka=choice.kafka_version,
            features=tuple(f"{name}={level}" for name, level in choice.features.items()),
        )
        command(asked=asked, **others)

    for option in _ASKED:
        with_asked = option(with_asked)
    return lab_options(with_asked)


@click.command()
@click.option("--time", "time_s", type=Duration(), help="How long: 90s, 30m, 2h.")
@click.option("--schedules", type=click.IntRange(1), help="How many runs at the most.")
@click.option("--until-caught", is_flag=True, help="End with the first run that FAILED.")
@click.option("--keep", type=click.Choice(["failed", "all"]), default="failed", show_default=True)
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
@_LABS
@BACKEND
@_asked
def campaign(  # noqa: PLR0913  # one parameter an option
    *,
    time_s: float | None,
    schedules: int | None,
    until_caught: bool,
    keep: str,
    campaigns: Path,
    resume: Path | None,
    labs: int,
    backend: str,
    asked: "Asked",
) -> None:
    """Play every single fault, every pair of faults, then random schedules until the time is up.

    Ctrl-C takes the labs down and still sums up; `--resume` goes on later.

    Examples: harness campaign --time 30m --labs 3
              harness campaign --time 10m --variant acks-1 --until-caught
              harness campaign --time 2h --shard 2/8 --seed 42
              harness campaign --time 1h --resume campaigns/20261125T010000.000-outbox-safe
    """
    from harness.campaign.campaign import Until, sequence_of  # noqa: PLC0415
    from harness.campaign.folder import CampaignFolder  # noqa: PLC0415
    from harness.run.session import choose_backend  # noqa: PLC0415

    choose_backend(backend)
    if time_s is None and schedules is None:
        raise UsageError("A campaign needs an end", remedy="say --time 30m or --schedules 100")
    sequence_of(asked)  # tells what is wrong before a folder is made
    folder = CampaignFolder.open(resume) if resume else CampaignFolder.make(campaigns, asked)
    until = Until(time_s=time_s, runs=schedules, caught=until_caught)
    sys.exit(_campaign(folder, until=until, labs=labs, keep=keep))


def _campaign(folder: "CampaignFolder", *, until: "Until", labs: int, keep: str) -> int:
    """Play, tell each run in a line, and sum up, however it ends."""
    from harness.campaign.campaign import play_campaign  # noqa: PLC0415
    from harness.campaign.pool import LabPool  # noqa: PLC0415
    from harness.campaign.summary import exit_code, summary  # noqa: PLC0415
    from harness.lab.choice import choose  # noqa: PLC0415

    asked = folder.asked
    choice = choose(profile=asked.profile, kafka_version=asked.kafka, features=asked.features)
    click.echo(f"campaign {folder.path}\nroot seed {asked.seed}, budget {asked.budget}")
    before, began = sum(1 for _ in folder.results()), monotonic_s()
    broken_off = False
    try:
        with LabPool(labs, choice=choice, runs=folder.runs, progress=_note) as pool:
            play_campaign(
                folder, pool, until=until, keep="all" if keep == "all" else "failed", tell=_tell
            )
    except KeyboardInterrupt:
        broken_off = True
        click.echo("broken off; the labs were taken down", err=True)
    results = tuple(folder.results())
    new = len(results) - before
    wall_s = monotonic_s() - began if new == len(results) else None
    click.echo(f"\n{summary(results, wall_s=wall_s)}")
    click.echo(f"\ngo on with it: harness campaign --time 30m --resume {folder.path}")
    return 130 if broken_off else exit_code(results)


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@click.option("--times", type=click.IntRange(1), default=10, show_default=True)
@_LABS
@RUNS_OPTION
@BACKEND
@lab_options
def replay(
    *,
    what: Path,
    times: int,
    labs: int,
    runs: Path,
    backend: str,
    choice: "LabChoice",
) -> None:
    """Play one schedule again, several times, and say how often it fails.

    WHAT is a schedule.json, a regression, or a run folder.

    Example: harness replay runs/20261124T031500.123-outbox-1a2b3c4d5e6f --times 20 --labs 2
    """
    from harness.campaign.pool import LabPool  # noqa: PLC0415
    from harness.campaign.replay import replay_jobs, replay_summary, worst  # noqa: PLC0415
    from harness.run.session import choose_backend  # noqa: PLC0415

    choose_backend(backend)
    jobs = replay_jobs(what, times=times)
    results = []
    with LabPool(min(labs, times), choice=choice, runs=runs, progress=_note) as pool:
        for result in pool.play(jobs):
            results.append(result)
            _tell(result)
    click.echo(f"\n{replay_summary(results)}")
    sys.exit(worst(results))


@click.command()
@click.argument("what", type=click.Path(path_type=Path))
@click.option("--budget-runs", type=click.IntRange(1), default=60, show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Pin the result there, e.g. scenarios/regressions/lost-order.json.",
)
@_LABS
@RUNS_OPTION
@BACKEND
@lab_options
def minimise(
    *,
    what: Path,
    budget_runs: int,
    output: Path | None,
    labs: int,
    runs: Path,
    backend: str,
    choice: "LabChoice",
) -> None:
    """Find the fewest and mildest faults that still make a run fail in the same way.

    WHAT is a run folder that FAILED, a regression, or a schedule.json.

    Example: harness minimise runs/20261124T031500.123-acks-1-1a2b3c4d5e6f --labs 2
    """
    from harness.campaign.minimising import (  # noqa: PLC0415
        failure_of,
        minimise_failure,
        regression_of,
        story,
    )
    from harness.campaign.pool import LabPool  # noqa: PLC0415
    from harness.campaign.regression import write_regression  # noqa: PLC0415
    from harness.run.session import choose_backend  # noqa: PLC0415

    choose_backend(backend)
    failure = failure_of(what)
    with LabPool(labs, choice=choice, runs=runs, progress=_note) as pool:
        found, signature = minimise_failure(
            failure, pool, labs=labs, runs_budget=budget_runs, tell=lambda result, _: _tell(result)
        )
    click.echo(f"\n{story(found)}")
    pinned = regression_of(found, signature, found_in=failure.found_in, choice=choice)
    if pinned is None:
        click.echo("\nit never failed again: nothing to pin")
        sys.exit(3)
    if output is not None:
        write_regression(pinned, output)
        click.echo(f"\npinned: {output}")


def _note(line: str) -> None:
    click.echo(line, err=True)


def _tell(result: "Result") -> None:
    faults = "; ".join(str(fault) for fault in result.schedule.faults) or "no fault"
    why = "" if result.outcome == "PASSED" else f"\n      {'; '.join(result.reasons)}"
    head = f"{result.index:5} {result.phase:7} {result.outcome:13} {result.took_s:5.1f} s"
    click.echo(f"{head}  {faults}{why}")
