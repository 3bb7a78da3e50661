"""Commands about one run: play it, judge it again, tell a message's life."""

import json
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.options import JSON, RUNS_OPTION, existing_run, lab_options, width

if TYPE_CHECKING:
    from harness.lab.choice import LabChoice
    from harness.pipeline.catalogue import Entry


@click.command()
@click.option(
    "--pipeline",
    "pipeline_name",
    help="A pipeline.toml, or a built-in pipeline; default: outbox, or what the schedule names.",
)
@click.option("--variant", help="A named set of overrides; see `harness variants`.")
@click.option(
    "--schedule",
    "schedule_file",
    type=click.Path(path_type=Path),
    help="A schedule.json, or a run folder to play again.",
)
@click.option(
    "--lab",
    "standing",
    type=click.Choice(["compose"]),
    help="Play on the lab that `docker compose up` has standing, instead of one of its own.",
)
@RUNS_OPTION
@lab_options
@JSON
def run(
    *,
    pipeline_name: str | None,
    variant: str | None,
    schedule_file: Path | None,
    standing: str | None,
    runs: Path,
    choice: "LabChoice",
    as_json: bool,
) -> None:
    """Play one schedule and judge it.

    Without one it is what shows the variant, or the death of a leader under load.

    Examples: harness run --variant acks-1
              harness run --schedule runs/…/schedule.json
              harness run --pipeline my/pipeline.toml
              harness run --profile production --kafka 3.9.1
              harness run --lab compose
    """
    from harness.ledger.render import render_verdict  # noqa: PLC0415
    from harness.progress import choose  # noqa: PLC0415
    from harness.run.plan import plan  # noqa: PLC0415
    from harness.run.session import default_session  # noqa: PLC0415
    from harness.run.standing import standing_session  # noqa: PLC0415

    pipeline, schedule = plan(pipeline_name, variant_name=variant, schedule_file=schedule_file)
    progress = choose(sys.stderr)
    with (standing_session if standing else default_session)(
        choice, runs=runs, progress=progress.note, observers=[progress]
    ) as session:
        result = session.play(pipeline, schedule)
    if as_json:
        click.echo((result.folder / "verdict.json").read_text(encoding="utf-8"))
    else:
        click.echo(render_verdict(result.verdict, width=width()))
        click.echo(f"\nrun folder: {result.folder} ({result.took_s:.1f} s)")
    sys.exit(result.verdict.exit_code)


@click.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@JSON
def check(run_folder: Path, *, as_json: bool) -> None:
    """Judge a run folder again, offline, from the files in it.

    Witnesses, journals, timeline, schedule and environment; without the witnesses, which campaigns
    remove from runs that PASSED, the verdict is UNKNOWN.

    Example: harness check runs/20261124T031500.123-outbox-1a2b3c4d5e6f
    """
    from harness.ledger.judge import judge  # noqa: PLC0415
    from harness.ledger.render import render_verdict  # noqa: PLC0415

    verdict = judge(existing_run(run_folder))
    if as_json:
        click.echo(json.dumps(verdict.as_json(), indent=2))
    else:
        click.echo(render_verdict(verdict, width=width()))
    sys.exit(verdict.exit_code)


@click.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.argument("message")
def explain(run_folder: Path, message: str) -> None:
    """Tell one message's life in order of time, faults included.

    Example: harness explain runs/20261124T031500.123-outbox-1a2b3c4d5e6f 1042
    """
    from harness.ledger.explain import explain as tell  # noqa: PLC0415

    click.echo(tell(existing_run(run_folder), message))


@click.command()
@click.option("--markdown", is_flag=True, help="Print the page docs/catalogue.md.")
@JSON
def variants(*, markdown: bool, as_json: bool) -> None:
    """List the named variants: what each must lead to, and whether that was seen.

    Example: harness variants
    """
    from dataclasses import asdict  # noqa: PLC0415

    from harness.pipeline.catalogue import catalogue, page  # noqa: PLC0415

    entries = catalogue()
    if markdown:
        click.echo(page(entries), nl=False)
    elif as_json:
        found = [{**asdict(each), "state": each.state, "repeats": each.repeats} for each in entries]
        click.echo(json.dumps(found, indent=2))
    else:
        for each in entries:
            click.echo(_variant_line(each))


def _variant_line(entry: "Entry") -> str:
    """Return a variant in a line or two."""
    variant, rate = entry.variant, entry.rate
    expects = (
        "nothing may be found"
        if variant.expects is None
        else f"must be caught: {variant.expects.finding} {variant.expects.hop or ''}".rstrip()
    )
    counted = f"accused in {rate.hits} of {rate.runs}" if variant.safe else str(rate)
    state = entry.state + (f", {counted}" if rate.runs else "")
    return (
        f"{variant.name:32} {variant.row}{f' ({variant.entry})' if variant.entry else ''}: "
        f"{expects}; {state}\n"
        + textwrap.fill(variant.why, width(), initial_indent=" " * 4, subsequent_indent=" " * 4)
    )
