"""The command that makes a report of runs and campaigns."""

from pathlib import Path

import click

from harness.cli.options import JSON
from harness.errors import UsageError

_FILE = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=_FILE,
    default=Path("report.html"),
    show_default=True,
    help="The page; its data is written beside it, as .json.",
)
@click.option("--title", default="", help="What the page is called; default: what was played.")
@click.option(
    "--history",
    "earlier",
    type=_FOLDER,
    multiple=True,
    help="A folder of earlier reports (.json); those beside the page are found by themselves.",
)
@click.option("--price", type=_FILE, help="The price of safety, as a benchmark wrote it.")
@JSON
def report(
    *,
    runs: tuple[Path, ...],
    output: Path,
    title: str,
    earlier: tuple[Path, ...],
    price: Path | None,
    as_json: bool,
) -> None:
    """Make one page of many runs: verdict, counterexamples, what was covered and what was not.

    RUNS are run folders, folders of them, campaign folders (shards add up), and pinned failures.

    Examples: harness report runs/ -o report.html
              harness report campaigns/20261125T010000.000-outbox-safe -o reports/night.html
              harness report shard-1/ shard-2/ --title "night of the 25th" --history reports/
    """
    from harness.report import publish  # noqa: PLC0415

    if not runs:
        raise UsageError(
            "There is nothing to report on", remedy="name run folders or campaign folders"
        )
    if output.suffix == ".json":
        raise UsageError(
            f"{output} would be both the page and its data",
            remedy=f"name the page {output.with_suffix('.html')}",
        )
    made, written = publish(runs, output, title=title, price=price, earlier=earlier)
    if as_json:
        click.echo(output.with_suffix(".json").read_text(encoding="utf-8"), nl=False)
        return
    click.echo(f"{made.headline.outcome}: {made.headline.sentence}")
    for warning in made.headline.warnings:
        click.echo(f"  {warning}")
    click.echo("\n".join(str(file) for file in written))
