"""Commands about the images that the docker backend starts containers from."""

import json

import click

from harness.cli.options import JSON, KAFKA, note


@click.group()
def images() -> None:
    """Build the project's own container images, or list which ones the engine has.

    Example: harness images build
    """


@images.command()
@KAFKA
def build(*, kafka_version: str) -> None:
    """Build the project's own images, for machines that cannot pull the public ones.

    From the distribution's packages, and the jars and the binary that a local lab is made of too.
    What is there already is not built again.

    Examples: harness images build
              harness images build --kafka 3.9.1
    """
    from harness.lab.choice import choose  # noqa: PLC0415
    from harness.provision.images.build import build as build_images  # noqa: PLC0415

    made = build_images(choose(kafka_version=kafka_version).kafka_version, progress=note)
    for reference in made:
        click.echo(f"built {reference}")
    if not made:
        click.echo("every image is there")


@images.command(name="list")
@KAFKA
@JSON
def list_images(*, kafka_version: str, as_json: bool) -> None:
    """List both sets of images, and which of them the engine has.

    Example: harness images list
    """
    from harness.provision.images import engine, names  # noqa: PLC0415

    found = engine.ask()
    sets = {
        name: names.image_set(name, kafka_version=kafka_version).all() for name in names.SET_NAMES
    }
    if as_json:
        listed = {
            name: {each: each in found.images for each in every} for name, every in sets.items()
        }
        click.echo(json.dumps({"engine": str(found), "images": listed}, indent=2))
        return
    click.echo(str(found))
    for name, every in sets.items():
        for reference in every:
            mark = "✓" if reference in found.images else "-"
            click.echo(f"{mark} {name:<7} {reference}")
