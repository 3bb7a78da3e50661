"""Options that say what many runs are to play: how long, which part, from which seed, on what."""

import os
import secrets
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from harness.cli.options import lab_options
from harness.clock import duration_s
from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.lab.choice import LabChoice

LABS = click.option(
    "--labs",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    callback=lambda _context, _option, labs: _told_if_many(labs),
    help="How many labs play side by side on this machine: one for every two cores.",
)


def _told_if_many(labs: int) -> int:
    """Return the number; say so where the machine is too small for it (`docs/nightly.md`)."""
    from harness.lab.choice import CORES_A_LAB, labs_that_fit  # noqa: PLC0415  # see options

    fit = labs_that_fit()
    if labs > fit:
        click.echo(
            f"note: {labs} labs on {os.cpu_count()} cores: one keeps {CORES_A_LAB} of them busy, "
            f"so this is no faster than --labs {fit}, and more of the runs will not be conclusive",
            err=True,
        )
    return labs


class Duration(click.ParamType):  # type: ignore[type-arg]  # not generic at run time
    """A length of time in seconds: `90s`, `30m`, `2h`."""

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        try:
            return duration_s(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


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


SHARD = click.option("--shard", type=Shard(), default=(1, 1), help="Which part is played: 2/8.")
SEED = click.option("--seed", type=int, help="The root seed; default: a new one.")
BUDGET = click.option(
    "--budget", type=click.Choice(["safe", "over"]), default="safe", show_default=True
)
VARIANT = click.option("--variant", help="A named set of overrides; see `harness variants`.")
PIPELINE = click.option("--pipeline", "pipeline_name", default="outbox", show_default=True)


_SAYS_WHAT = frozenset(
    ("pipeline_name", "variant", "budget", "seed", "shard", "profile", "kafka_version", "features")
)


def asked_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say what a campaign plays; the command is given them as `asked`.

    It is given the `choice` too, which says where its labs run.
    """

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
        from harness.campaign.folder import asked_of  # noqa: PLC0415
        from harness.run.plan import spec_of  # noqa: PLC0415

        asked = asked_of(
            spec_of(pipeline_name, variant),
            budget="over" if budget == "over" else "safe",
            seed=new_seed() if seed is None else seed,
            shard=shard,
            choice=choice,
        )
        command(asked=asked, choice=choice, **others)

    for option in (SHARD, SEED, BUDGET, VARIANT, PIPELINE):
        with_asked = option(with_asked)
    return lab_options(with_asked)


def refuse_asked(*, beside: str) -> None:
    """Refuse options that say what to play beside one that says it all; UsageError names them.

    Before the command itself is called they all have a value: it is asked who typed it.
    """
    context = click.get_current_context()
    typed = [
        each.opts[0]
        for each in context.command.params
        if each.name in _SAYS_WHAT
        and context.get_parameter_source(str(each.name)) is ParameterSource.COMMANDLINE
    ]
    if typed:
        raise UsageError(
            f"{', '.join(typed)} beside {beside}: it says by itself what is played",
            remedy=f"leave {', '.join(typed)} out, or begin a campaign of its own without {beside}",
        )


def new_seed() -> int:
    """Return a root seed that nobody had before."""
    return secrets.randbits(32)
