"""The `harness` command. It parses, calls, prints and exits; what it does lives in the rooms."""

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from harness.clock import sleep
from harness.errors import HarnessError, UsageError
from harness.provision.kafka import KAFKA_VERSION

if TYPE_CHECKING:
    from harness.lab.choice import LabChoice
    from harness.lab.protocol import Lab

RUNS = Path("runs")
_PROFILE = click.option(
    "--profile",
    default="fast",
    show_default=True,
    help="Time-outs of nodes and clients: fast, or production (Kafka's own defaults).",
)
_KAFKA = click.option(
    "--kafka",
    "kafka_version",
    default=KAFKA_VERSION,
    show_default=True,
    help="Any release from 3.9.0 on that Maven has.",
)
_FEATURE = click.option(
    "--feature",
    "features",
    multiple=True,
    metavar="NAME=LEVEL",
    help="A feature level the new cluster begins with, e.g. eligible.leader.replicas.version=0.",
)


def _lab_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which lab is wanted; the command is given the `choice`."""

    @wraps(command)
    def with_choice(
        *, profile: str, kafka_version: str, features: tuple[str, ...], **others: object
    ) -> None:
        from harness.lab.choice import choose  # noqa: PLC0415

        choice = choose(profile=profile, kafka_version=kafka_version, features=features)
        command(choice=choice, **others)

    for option in (_FEATURE, _KAFKA, _PROFILE):
        with_choice = option(with_choice)
    return with_choice


class _Commands(click.Group):
    """Turns errors of the harness into one message and their exit code."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401  (click's own signature)
        try:
            return super().invoke(ctx)
        except HarnessError as error:
            click.echo(f"harness: {error}", err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise  # whoever read our words has heard enough: click ends quietly
        except OSError as error:  # a file that cannot be read, wherever it is asked for
            click.echo(f"harness: {error}", err=True)
            ctx.exit(HarnessError.exit_code)
        except KeyboardInterrupt:
            click.echo("harness: interrupted; the lab was taken down", err=True)
            ctx.exit(130)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zero-loss-harness")
def main() -> None:
    """Prove that a Kafka pipeline loses nothing and processes everything exactly once."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(ending, _terminated)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


@main.command()
@_KAFKA
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def doctor(*, kafka_version: str, as_json: bool) -> None:
    """List every part the lab needs: found (version, where from) or missing (what to do).

    Examples: harness doctor
              harness doctor --kafka 3.9.1
    """
    from harness.lab.choice import choose  # noqa: PLC0415
    from harness.provision import doctor as examination  # noqa: PLC0415

    reports = examination.examine(choose(kafka_version=kafka_version).kafka_version)
    choice = examination.backend_choice()
    if as_json:
        parts = [report.to_json() for report in reports]
        click.echo(json.dumps({"parts": parts, "backend": choice.to_json()}, indent=2))
    else:
        click.echo(examination.render(reports, choice=choice))
    if not examination.ready(reports):
        sys.exit(4)


@main.command()
@click.option("--port-base", type=int, help="First of the ports to use; default: chosen free.")
@_lab_options
def up(*, port_base: int | None, choice: "LabChoice") -> None:
    """Keep a lab standing, print its endpoints, take it down on Ctrl-C.

    Examples: harness up
              harness up --profile production --kafka 3.9.1
    """
    from harness.lab.local import start_local_lab  # noqa: PLC0415
    from harness.progress import choose  # noqa: PLC0415
    from harness.provision.parts import provide  # noqa: PLC0415

    progress = choose(sys.stderr)
    parts = provide(choice.kafka_version, features=choice.features, progress=progress.note)
    lab = start_local_lab(
        parts, profile=choice.profile, progress=progress.note, port_base=port_base
    )
    try:
        click.echo(
            f"\nlab {lab.name} is ready after {lab.boot_s:.1f} s "
            f"({lab.memory_bytes() / 2**20:.0f} MB): profile {choice.profile.name}, "
            f"Kafka {choice.kafka_version}"
        )
        for endpoint in lab.endpoints():
            click.echo(f"  {endpoint.name:28} {endpoint.address}")
        click.echo("Ctrl-C takes it down.")
        _stand(lab)
    except KeyboardInterrupt:
        click.echo("taking it down", err=True)
    finally:
        lab.close()


def _stand(lab: "Lab") -> NoReturn:
    """Wait for Ctrl-C, telling once of each server that dies meanwhile."""
    told: set[str] = set()
    while True:
        sleep(1.0)
        for sentence in set(lab.check_alive()) - told:
            told.add(sentence)
            click.echo(f"harness: {sentence}", err=True)


@main.command()
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
    "--runs",
    type=click.Path(path_type=Path),
    default=RUNS,
    show_default=True,
    help="Where run folders are made.",
)
@click.option("--backend", default="auto", show_default=True, help="auto or local.")
@_lab_options
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def run(
    *,
    pipeline_name: str | None,
    variant: str | None,
    schedule_file: Path | None,
    runs: Path,
    backend: str,
    choice: "LabChoice",
    as_json: bool,
) -> None:
    """Play one schedule and judge it.

    Without one it is what shows the variant, or the death of a leader under load.

    Examples: harness run --variant acks-1
              harness run --schedule runs/…/schedule.json
              harness run --pipeline my/pipeline.toml
              harness run --profile production --kafka 3.9.1
    """
    from harness.ledger.render import render_verdict  # noqa: PLC0415
    from harness.progress import choose  # noqa: PLC0415
    from harness.run.plan import plan  # noqa: PLC0415
    from harness.run.session import LabSession, choose_backend, default_start  # noqa: PLC0415

    choose_backend(backend)
    pipeline, schedule = plan(pipeline_name, variant_name=variant, schedule_file=schedule_file)
    progress = choose(sys.stderr)
    start = default_start(progress=progress.note, choice=choice)
    with LabSession(start=start, runs=runs, observers=[progress]) as session:
        result = session.play(pipeline, schedule)
    if as_json:
        click.echo((result.folder / "verdict.json").read_text(encoding="utf-8"))
    else:
        click.echo(render_verdict(result.verdict, width=_width()))
        click.echo(f"\nrun folder: {result.folder} ({result.took_s:.1f} s)")
    sys.exit(result.verdict.exit_code)


@main.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def check(run_folder: Path, *, as_json: bool) -> None:
    """Judge a run folder again, offline, from its witnesses alone.

    Example: harness check runs/20261124T031500.123-outbox-1a2b3c4d5e6f
    """
    from harness.ledger.judge import judge  # noqa: PLC0415
    from harness.ledger.render import render_verdict  # noqa: PLC0415

    verdict = judge(_existing(run_folder))
    if as_json:
        click.echo(json.dumps(verdict.as_json(), indent=2))
    else:
        click.echo(render_verdict(verdict, width=_width()))
    sys.exit(verdict.exit_code)


@main.command()
@click.argument("run_folder", type=click.Path(path_type=Path))
@click.argument("message")
def explain(run_folder: Path, message: str) -> None:
    """Tell one message's life in order of time, faults included.

    Example: harness explain runs/20261124T031500.123-outbox-1a2b3c4d5e6f 1042
    """
    from harness.ledger.explain import explain as tell  # noqa: PLC0415

    click.echo(tell(_existing(run_folder), message))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a machine.")
def variants(*, as_json: bool) -> None:
    """List the named variants: what each changes and which finding it must lead to.

    Example: harness variants
    """
    from dataclasses import asdict  # noqa: PLC0415

    from harness.pipeline.variant import list_variants  # noqa: PLC0415

    found = list_variants()
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=2))
        return
    for each in found:
        expects = (
            "holds"
            if each.expects is None
            else f"must be caught: {each.expects.finding} {each.expects.hop or ''}"
        )
        click.echo(f"{each.name:28} {each.row:26} {expects}\n{'':28} {each.why}")


def _existing(run_folder: Path) -> Path:
    if not (run_folder / "timeline.jsonl").is_file():
        raise UsageError(
            f"{run_folder} is no run folder: it holds no timeline.jsonl",
            remedy="name a folder under runs/",
        )
    return run_folder


def _width() -> int:
    columns = os.get_terminal_size().columns if sys.stdout.isatty() else 100
    return max(60, min(columns, 140))
