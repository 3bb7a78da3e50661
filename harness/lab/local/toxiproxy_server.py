"""The Toxiproxy server of a local lab, as a process."""

import json
from collections.abc import Mapping
from pathlib import Path

from harness.clock import Deadline, wait_until
from harness.errors import LabError
from harness.lab.audit import refuses
from harness.lab.layout import LINKS, Layout
from harness.lab.links.proxies import population_of, wedged
from harness.lab.links.toxiproxy import ToxiproxyApi
from harness.lab.local.recipe import Recipe
from harness.lab.process import Command, ServerProcess, plain_environment

_POPULATED = f'"proxies":{len(LINKS)},'
_FAILED = ("Failed to populate", "Server finished with error")


def prepare(folder: Path, *, layout: Layout) -> Path:
    """Write the population that the server reads before it opens its API; return the file."""
    home = folder / "toxiproxy"
    home.mkdir()
    population = home / "proxies.json"
    population.write_text(json.dumps(population_of(layout), indent=1), encoding="utf-8")
    return population


def process(
    population: Path,
    *,
    layout: Layout,
    recipe: Recipe,
    mark: Mapping[str, str],
    api: ToxiproxyApi,
) -> ServerProcess:
    """Return the server's process, not yet started."""
    home = population.parent
    command = Command(
        argv=(
            str(recipe.toxiproxy),
            *("-host", "127.0.0.1", "-port", str(layout.api), "-config", str(population)),
        ),
        folder=home,
        log=home / "server.log",
        # At this level it writes one line for each connection that it accepts.
        environment={**plain_environment(), **mark, "LOG_LEVEL": "info"},
        ports=(layout.api,),
    )
    return ServerProcess("Toxiproxy", command, answers=lambda: wedged(api) is None)


def await_populated(server: ServerProcess, *, layout: Layout, deadline: Deadline) -> None:
    """Return when every proxy listens; LabError with the server's own words if one cannot."""

    def populated() -> bool:
        said = server.log_tail(len(LINKS) + 20)
        if server.pid() is None or any(word in said for word in _FAILED):
            raise LabError(f"Toxiproxy did not start; it last said:\n{server.log_tail(5)}")
        return _POPULATED in said and not refuses((layout.api,))  # it opens its API last

    wait_until(
        populated,
        deadline_s=deadline.remaining_s(),
        describe=f"Toxiproxy to open {len(LINKS)} proxies",
        last_seen=lambda: server.log_tail(1),
        poll_s=0.005,
    )
