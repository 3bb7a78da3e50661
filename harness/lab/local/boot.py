"""Starts a local lab: everything at once, each step bounded, and all taken down if one fails."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.clock import Deadline, monotonic_s
from harness.errors import LabError
from harness.lab import awaiting
from harness.lab.keeping import folders, ports, turns, warden
from harness.lab.keeping.claims import Claim
from harness.lab.keeping.guardian import Guardian
from harness.lab.layout import PORTS, Layout
from harness.lab.links.detours import FrameDetours
from harness.lab.links.proxied import ProxiedLinks
from harness.lab.links.toxiproxy import ToxiproxyApi
from harness.lab.links.traffic import TrafficGauge, open_ports_of
from harness.lab.local import leftovers, node_process, toxiproxy_server
from harness.lab.local.lab import LocalLab, release
from harness.lab.local.lock_services import LocalLockServices
from harness.lab.local.postgres import LocalPostgres
from harness.lab.local.recipe import Recipe, recipe_of
from harness.lab.nodes import node_files
from harness.lab.process import ServerProcess
from harness.lab.profile import FAST, Profile
from harness.provision.parts import Parts, provide


def _silent(_line: str) -> None:
    """Show a line of progress to nobody."""


def start_local_lab(
    parts: Parts | None = None,
    *,
    progress: Callable[[str], None] = _silent,
    port_base: int | None = None,
    profile: Profile = FAST,
) -> LocalLab:
    """Return a running lab: three nodes registered, internal topics in sync, the database open.

    LabError if a port is taken (with `port_base`), a part is missing or a server does not come up;
    nothing is left running then. Close it, or use it in a `with` statement.
    """
    folders.require_passage()
    recipe = recipe_of(provide(progress=progress) if parts is None else parts)
    with turns.turn():
        return _boot(recipe, progress=progress, port_base=port_base, profile=profile)


def _boot(
    recipe: Recipe, *, progress: Callable[[str], None], port_base: int | None, profile: Profile
) -> LocalLab:
    began = monotonic_s()
    for name in leftovers.clear_dead_labs():
        progress(f"cleared what the dead lab {name} left")
    try:
        lab = _assemble(recipe, profile=profile, port_base=port_base)
    except OSError as error:
        raise LabError(
            f"The lab's files could not be written below {folders.root()}: {error}",
            remedy="free some space, or point TMPDIR at a folder with room",
        ) from error
    try:
        _start(lab, progress=progress)
    except BaseException as error:
        tails = _last_words(lab)
        lab.close()
        if isinstance(error, OSError):
            raise LabError(f"The lab could not be started: {error}{tails}") from error
        if isinstance(error, LabError):
            raise LabError(f"{error.message}{tails}", remedy=error.remedy) from error
        raise
    lab.boot_s = monotonic_s() - began
    progress(f"lab {lab.name} is ready after {lab.boot_s:.1f} s")
    return lab


def _assemble(recipe: Recipe, *, profile: Profile, port_base: int | None) -> LocalLab:
    """Claim name and ports, set the warden, and put the parts together; no server runs yet."""
    base, port_claim = ports.claim_block(PORTS, base=port_base)
    folder, name_claim = folders.claim_name()
    claims = [name_claim, port_claim]
    guardian = Guardian(folder, claims=claims)  # before anything that it would have to clear
    try:
        return _put_together(folder, Layout(base=base), recipe, profile, claims, guardian)
    except BaseException:
        warden.clear(folder, name=folder.name)
        guardian.dismiss()
        release(claims)
        raise


def _put_together(
    folder: Path,
    layout: Layout,
    recipe: Recipe,
    profile: Profile,
    claims: list[Claim],
    guardian: Guardian,
) -> LocalLab:
    folders.make(folder)
    mark = {warden.MARKER: folder.name}
    files = node_files.prepare(
        folder,
        layout=layout,
        profile=profile,
        kafka_version=recipe.kafka_version,
        checkpoint=recipe.bootstrap_checkpoint,
    )
    population = toxiproxy_server.prepare(folder, layout=layout)
    api = ToxiproxyApi(layout.api)
    toxiproxy = toxiproxy_server.process(
        population, layout=layout, recipe=recipe, mark=mark, api=api
    )
    gauge = _gauge(population.parent / "server.log", layout=layout, toxiproxy=toxiproxy)
    links = ProxiedLinks(api, layout=layout, gauge=gauge)
    return LocalLab(
        folder=folder,
        layout=layout,
        recipe=recipe,
        profile=profile,
        claims=claims,
        guardian=guardian,
        settings={one.number: one.settings for one in files},
        nodes=node_process.processes(files, layout=layout, recipe=recipe, mark=mark),
        toxiproxy=toxiproxy,
        api=api,
        links=links,
        frames=FrameDetours(folder, layout=layout, links=links, mark=mark),
        database=LocalPostgres(folder, layout=layout, recipe=recipe, mark=mark),
        lock_services=LocalLockServices(folder, layout=layout, recipe=recipe, mark=mark),
    )


def _gauge(log: Path, *, layout: Layout, toxiproxy: ServerProcess) -> TrafficGauge:
    return TrafficGauge(log, layout=layout, open_ports=lambda: open_ports_of(toxiproxy.pid()))


def _start(lab: LocalLab, *, progress: Callable[[str], None]) -> None:
    deadline = Deadline(lab.profile.patience.boot_s)
    lab.toxiproxy.start()
    for server in lab.nodes.values():
        server.start()  # the longest way, so they are on it first
    with ThreadPoolExecutor(1) as pool:
        database = pool.submit(_start_database, lab, deadline)
        toxiproxy_server.await_populated(lab.toxiproxy, layout=lab.layout, deadline=deadline)
        progress("starting three nodes behind their proxies")
        awaiting.nodes(lab.cluster, deadline=deadline, alive=lambda: _alive(lab))
        awaiting.internal_topics(lab.cluster, deadline=deadline, alive=lambda: _alive(lab))
        database.result(timeout=deadline.remaining_s() + 1)


def _start_database(lab: LocalLab, deadline: Deadline) -> None:
    lab.database.prepare()
    lab.database.start()
    awaiting.database(lab.database, deadline=deadline, alive=lambda: _alive(lab))


def _alive(lab: LocalLab) -> bool:
    return awaiting.all_alive((*lab.nodes.values(), lab.toxiproxy, lab.database))


def _last_words(lab: LocalLab) -> str:
    """Return the log tails of the servers that do not serve."""
    silent = [server for server in lab.nodes.values() if not server.serves()]
    return "".join(f"\n--- {server.name}:\n{server.log_tail(12)}" for server in silent)
