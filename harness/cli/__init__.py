"""The `harness` command. It parses, calls, prints and exits; what it does lives in the rooms."""

import re
import signal
import traceback
from types import FrameType
from typing import Any, NoReturn

import click

from harness.cli import images, lab, many, nightly, reports, runs
from harness.errors import HarnessError


class _Commands(click.Group):
    """Turns errors of the harness into one message and their exit code."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command; the examples in its help keep their lines."""
        if cmd.help is not None:
            cmd.help = re.sub(r"(?m)^( *)(Examples?: )", "\\1\b\n\\1\\2", cmd.help)
        super().add_command(cmd, name)

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
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise  # click's own ways to end a command
        except Exception:  # noqa: BLE001  # top of a process: 1 would say that a pipeline FAILED
            click.echo(f"{traceback.format_exc()}harness: an error of its own, as above", err=True)
            ctx.exit(HarnessError.exit_code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zero-loss-harness")
def main() -> None:
    """Prove that a Kafka pipeline loses nothing and processes everything exactly once."""
    for ending in (signal.SIGINT, signal.SIGTERM):  # a shell's background job ignores SIGINT
        signal.signal(ending, _terminated)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


for _command in (
    lab.doctor,
    lab.up,
    images.images,
    runs.run,
    runs.check,
    runs.explain,
    runs.variants,
    many.campaign,
    many.replay,
    many.minimise,
    nightly.nightly,
    nightly.merge,
    reports.report,
):
    main.add_command(_command)
