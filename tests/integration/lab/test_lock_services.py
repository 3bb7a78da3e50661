"""The lock services of a lab, real: Redis and ZooKeeper, with and without faults."""

import contextlib
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis
from kazoo.client import KazooClient

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.keeping import folders, ports, warden
from harness.lab.layout import PORTS, Layout
from harness.lab.local import redis as local_redis
from harness.lab.local.lock_services import LocalLockServer, LocalLockServices
from harness.lab.local.recipe import Recipe
from harness.lab.local.zookeeper import LocalZooKeeper


@pytest.fixture(scope="module")
def services(recipe: Recipe) -> Iterator[LocalLockServices]:
    """Return the lock services of a lab that has nothing else."""
    base, claim = ports.claim_block(PORTS)
    folder = folders.root() / f"test-{secrets.token_hex(4)}"
    folders.make(folder)
    services = LocalLockServices(
        folder, layout=Layout(base=base), recipe=recipe, mark={warden.MARKER: folder.name}
    )
    try:
        yield services
    finally:
        survivors = warden.clear(folder, name=folder.name)
        for server in services.all():
            server.reap()
        claim.release()
        assert survivors == []
        assert not folder.exists()


@pytest.fixture(params=["redis", "zookeeper"])
def server(services: LocalLockServices, request: pytest.FixtureRequest) -> LocalLockServer:
    """Return each of them, started."""
    return services.get(request.param)


def await_serving(server: LocalLockServer) -> None:
    """Wait until it answers."""
    wait_until(server.serves, deadline_s=20, describe=server.name, last_seen=server.log_tail)


def keep(server: LocalLockServer, space: str) -> None:
    """Write something into a space, as a role would."""
    address = server.address(space, port=port_of(server))
    if isinstance(server, LocalZooKeeper):
        with zookeeper(address) as client:
            client.create("/kept", b"x", makepath=True)
    else:
        with redis.Redis.from_url(address) as client:
            client.set("kept", "x")


def kept(server: LocalLockServer, space: str) -> bool:
    """Tell whether it is there."""
    address = server.address(space, port=port_of(server))
    if isinstance(server, LocalZooKeeper):
        with zookeeper(address) as client:
            return client.exists("/kept") is not None
    with redis.Redis.from_url(address) as client:
        found: object = client.get("kept")
    return found == b"x"


@contextlib.contextmanager
def zookeeper(address: str) -> Iterator[KazooClient]:
    """Talk to ZooKeeper for a while."""
    client = KazooClient(hosts=address)
    client.start(timeout=10)
    try:
        yield client
    finally:
        client.stop()
        client.close()


def port_of(server: LocalLockServer) -> int:
    """Return its own port."""
    return int(server.direct().rpartition(":")[2].split("/")[0])


def test_it_is_started_once_and_kept(services: LocalLockServices, server: LocalLockServer) -> None:
    """The second call returns the first one's server, in the same life."""
    pid = server.pid()
    again = {each.name: each for each in (services.get("redis"), services.get("zookeeper"))}
    assert again[server.name] is server
    assert server.pid() == pid is not None


def test_it_listens_on_loopback_only(server: LocalLockServer) -> None:
    """Its client port, and no other."""
    listening = [
        each.laddr
        for each in psutil.Process(server.pid()).net_connections("inet")
        if each.status == psutil.CONN_LISTEN
    ]
    assert {(address.ip.removeprefix("::ffff:"), address.port) for address in listening} == {
        ("127.0.0.1", port_of(server))
    }


def test_it_can_be_told_by_its_mark(server: LocalLockServer) -> None:
    """The environment stays readable, by which the warden finds what it has to end."""
    assert warden.MARKER in psutil.Process(server.pid()).environ()


def test_each_run_has_a_space_of_its_own(server: LocalLockServer) -> None:
    """What one run wrote another does not see; what is dropped is gone, and that twice."""
    server.create("run_a")
    server.create("run_b")
    keep(server, "run_a")
    assert (kept(server, "run_a"), kept(server, "run_b")) == (True, False)
    server.drop("run_a")
    server.drop("run_a")
    server.create("run_a")
    assert not kept(server, "run_a")
    for space in ("run_a", "run_b"):
        server.drop(space)


def test_what_was_answered_before_a_kill_is_there_after_it(server: LocalLockServer) -> None:
    """Locks and fencing tokens outlive a crash of their service."""
    server.create("run_c")
    keep(server, "run_c")
    server.kill()
    assert (server.pid(), server.exit_code(), server.serves()) == (None, -signal.SIGKILL, False)
    server.start()
    await_serving(server)
    assert kept(server, "run_c")
    server.drop("run_c")


def test_a_paused_one_is_silent_and_goes_on(server: LocalLockServer) -> None:
    """It says so by not answering."""
    server.pause()
    assert not server.serves()
    server.resume()
    await_serving(server)


def test_one_that_is_asked_to_end_ends_in_good_order(server: LocalLockServer) -> None:
    """As a database does: no signal of ours is in its exit status but SIGTERM's."""
    server.terminate()
    wait_until(lambda: server.pid() is None, deadline_s=20, describe="its end")
    assert server.exit_code() in (0, 128 + signal.SIGTERM)
    server.start()
    await_serving(server)


def test_one_that_is_out_of_reach_is_one_error(server: LocalLockServer) -> None:
    """A run that cannot have its space does not begin."""
    server.kill()
    with pytest.raises(LabError, match=f"^{server.name} did not"):
        server.create("run_d")
    server.start()
    await_serving(server)


def test_redis_lets_nobody_in_without_its_password(services: LocalLockServices) -> None:
    """Any process of this machine reaches a loopback port."""
    server = services.get("redis")
    with (
        redis.Redis(port=port_of(server)) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.get("x")
    assert server.direct().split(":")[2].split("@")[0] not in " ".join(
        psutil.Process(server.pid()).cmdline()
    )


def test_one_that_does_not_come_up_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, layout: Layout, recipe: Recipe, tmp_path: Path
) -> None:
    """A setting that it does not know: the error holds what it said."""
    monkeypatch.setattr(local_redis, "SETTINGS", {**local_redis.SETTINGS, "no-such": "thing"})
    services = LocalLockServices(
        tmp_path, layout=layout, recipe=recipe, mark={warden.MARKER: "none"}
    )
    with pytest.raises(LabError, match=r"(?s)Redis died unasked.*no-such"):
        services.get("redis")
