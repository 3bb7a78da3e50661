"""The database server of a lab, real, with and without faults."""

import contextlib
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from harness.clock import monotonic_s, sleep, wait_until
from harness.lab.keeping import folders, warden
from harness.lab.layout import Layout
from harness.lab.local.postgres import LocalPostgres
from harness.lab.local.recipe import Recipe


@pytest.fixture(scope="module")
def database(recipe: Recipe) -> Iterator[LocalPostgres]:
    """Return a running server with a folder of its own."""
    from harness.lab.keeping import ports  # noqa: PLC0415  # module scope: not the fixture's block
    from harness.lab.layout import PORTS  # noqa: PLC0415

    base, claim = ports.claim_block(PORTS)
    folder = folders.root() / f"test-{secrets.token_hex(4)}"
    folders.make(folder)
    mark = {warden.MARKER: folder.name}
    server = LocalPostgres(folder, layout=Layout(base=base), recipe=recipe, mark=mark)
    try:
        server.prepare()
        server.start()
        await_serving(server)
        yield server
    finally:
        warden.clear(folder, name=folder.name)
        server.reap()
        claim.release()


def await_serving(server: LocalPostgres) -> None:
    """Wait until it accepts queries."""
    wait_until(server.serves, deadline_s=15, describe="the database", last_seen=server.log_tail)


def segment(server: LocalPostgres) -> str:
    """Return the id of the server's SysV segment."""
    return (server.data / "postmaster.pid").read_text().splitlines()[6].split()[1]


def segments() -> set[str]:
    """Return the ids of all SysV segments of this machine."""
    rows = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {row.split()[1] for row in rows}


def test_the_pipeline_account_owns_its_database_and_is_no_superuser(
    database: LocalPostgres, recipe: Recipe
) -> None:
    """It may create tables there, and not look at files of the server."""
    assert recipe
    database.create("owned")
    port = int(database.url("owned").rpartition(":")[2].split("/")[0])
    with psycopg.connect(database.role_url("owned", port=port), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id int)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT pg_read_file('postgresql.conf')")
    database.drop("owned")


def test_a_database_is_created_in_a_moment_and_dropped_under_its_users(
    database: LocalPostgres,
) -> None:
    """Dropping ends sessions; dropping what is gone is no error."""
    began = monotonic_s()
    database.create("brief")
    assert monotonic_s() - began < 1.0
    with psycopg.connect(database.url("brief")) as connection:
        database.drop("brief")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    database.drop("brief")


def test_what_was_committed_before_a_kill_under_load_is_there_after_it(
    database: LocalPostgres,
) -> None:
    """Ten clients insert; the server is killed; every acknowledged row survives."""
    database.create("load")
    with psycopg.connect(database.url("load")) as connection:
        connection.execute("CREATE TABLE t (id bigint PRIMARY KEY)")
    committed: list[int] = []

    def insert(worker: int) -> None:
        with (
            contextlib.suppress(psycopg.OperationalError),
            psycopg.connect(database.url("load"), autocommit=True) as connection,
        ):
            for number in range(100_000):
                connection.execute("INSERT INTO t VALUES (%s)", (worker * 1_000_000 + number,))
                committed.append(worker * 1_000_000 + number)

    workers = [threading.Thread(target=insert, args=(worker,)) for worker in range(10)]
    for worker in workers:
        worker.start()
    wait_until(lambda: len(committed) > 200, deadline_s=10, describe="rows")
    database.kill()
    assert (database.pid(), database.exit_code(), database.serves()) == (None, -9, False)
    for worker in workers:
        worker.join(timeout=10)
    database.start()
    await_serving(database)
    with psycopg.connect(database.url("load")) as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM t")}
    assert set(committed) <= kept


def test_kills_leave_no_shared_memory_behind(database: LocalPostgres) -> None:
    """A killed postmaster cannot give its segment back; the harness does."""
    for _ in range(2):
        own = segment(database)
        assert own in segments()
        database.kill()
        assert own not in segments()
        database.start()
        await_serving(database)


def test_a_paused_server_is_silent_and_goes_on(database: LocalPostgres) -> None:
    """Every process of the family stops."""
    database.pause()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database.url("postgres"), connect_timeout=2)
    database.resume()
    await_serving(database)


def test_a_server_that_dies_unasked_is_told_of(database: LocalPostgres) -> None:
    """A kill from outside is trouble; one that was asked for is not."""
    assert database.trouble() is None
    for process in reversed(database.family()):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    wait_until(lambda: database.pid() is None, deadline_s=5, describe="its end")
    assert "died unasked with status -9" in str(database.trouble())
    sleep(0.05)
    database.kill()
    warden.remove_shared_memory(Path(str(database.data)))
    database.start()
    await_serving(database)
    assert database.trouble() is None
