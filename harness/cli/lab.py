"""Commands about the lab itself: what there is to make one from, and one that stays."""

import json
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from harness.cli.options import JSON, KAFKA, lab_options
from harness.clock import sleep

if TYPE_CHECKING:
    from harness.lab.choice import LabChoice
    from harness.lab.protocol import Lab
    from harness.schedule.targets import LockServiceName

LOCK_SERVICES = ("redis", "zookeeper")


@click.command()
@KAFKA
@JSON
def doctor(*, kafka_version: str, as_json: bool) -> None:
    """List every part the lab needs: found (version, where from) or missing (what to do).

    Examples: harness doctor
              harness doctor --kafka 3.9.1
    """
    from harness.lab.choice import choose  # noqa: PLC0415
    from harness.provision import backend  # noqa: PLC0415
    from harness.provision import doctor as examination  # noqa: PLC0415

    reports = examination.examine(choose(kafka_version=kafka_version).kafka_version)
    choice = backend.choose(kafka_version=kafka_version)
    if as_json:
        parts = [report.to_json() for report in reports]
        click.echo(json.dumps({"parts": parts, "backend": choice.to_json()}, indent=2))
    else:
        click.echo(examination.render(reports, choice=choice))
    if not examination.ready(reports, choice=choice):
        sys.exit(4)


@click.command()
@click.option(
    "--port-base",
    type=int,
    help="First of the ports to use; default: chosen free. Local backend only.",
)
@click.option(
    "--with",
    "services",
    type=click.Choice(LOCK_SERVICES),
    multiple=True,
    help="A lock service to start as well.",
)
@lab_options
def up(
    *, port_base: int | None, services: tuple["LockServiceName", ...], choice: "LabChoice"
) -> None:
    """Keep a lab standing, print its endpoints, take it down on Ctrl-C.

    Examples: harness up
              harness up --profile production --kafka 3.9.1
              harness up --with redis
    """
    from harness.progress import choose  # noqa: PLC0415
    from harness.run.session import default_start  # noqa: PLC0415

    progress = choose(sys.stderr)
    lab = default_start(progress=progress.note, choice=choice, port_base=port_base)()
    try:
        for service in services:
            lab.lock_service(service)
        click.echo(
            f"\nlab {lab.name} is ready after {lab.boot_s:.1f} s "
            f"({lab.memory_bytes() / 2**20:.0f} MB): profile {choice.profile.name}, "
            f"Kafka {choice.kafka_version}, backend {choice.backend}"
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
