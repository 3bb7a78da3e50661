"""One life of a role as a container, each method of `RoleLife` on a real engine."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest

from harness.clock import wait_until
from harness.errors import LabError
from harness.lab.docker import engine, marks, role
from harness.lab.docker.ending import Holding
from harness.lab.docker.parts import Parts
from harness.lab.values import Link
from harness.provision.images.engine import has
from harness.provision.images.names import ROLE
from harness.role_life import ContainerOrder

SLEEP = 'import time; print("up", flush=True); time.sleep(60)'
Start = Callable[..., role.RoleContainer]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return where a role's words are written."""
    file = tmp_path / "role-0.log"
    file.touch()
    return file


@pytest.fixture
def start(holding: Holding, parts: Parts, tmp_path: Path, output: Path) -> Iterator[Start]:
    """Return what starts Python code as a role; whatever is left of it is ended."""
    if not has(ROLE):
        pytest.skip(f"the engine has no {ROLE}: make lab-images")
    (tmp_path / "journal").mkdir()
    started: list[role.RoleContainer] = []

    def make(code: str, **environment: str) -> role.RoleContainer:
        order = ContainerOrder(
            name="role 0",
            image=ROLE,
            command=("python3", "-c", code),
            environment=environment,
            folders=(tmp_path / "journal",),
            output=output,
        )
        proxies = parts.toxiproxy.container
        started.append(role.start(order, lab=holding.folder.name, proxies=proxies))
        return started[-1]

    yield make
    for each in started:
        each.kill()


def ended(life: role.RoleContainer) -> int:
    """Return how it ended, when it has."""
    wait_until(lambda: life.exit_code() is not None, deadline_s=20, describe="the role to end")
    code = life.exit_code()
    assert code is not None
    return code


def up(output: Path) -> None:
    """Wait until the role has begun."""
    wait_until(lambda: b"up" in output.read_bytes(), deadline_s=20, describe="the role to begin")


def test_it_tells_its_words_and_how_it_ended_and_is_gone(
    start: Start, output: Path, holding: Holding
) -> None:
    """Both come without being asked for; `kill` of what has ended only clears it away."""
    life = start('print("a word"); raise SystemExit(3)')
    assert life.pid > 0
    assert ended(life) == 3
    assert "a word" in output.read_text()
    assert life.kill() == 3
    with closing(docker.from_env()) as client:
        bearers = client.containers.list(
            all=True, filters={"label": marks.label(holding.folder.name), "ancestor": ROLE}
        )
    assert bearers == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGABRT])
def test_it_can_end_itself_by_a_signal(start: Start, number: signal.Signals) -> None:
    """As at a crash point: the first process of a container could not."""
    life = start(f"import os; os.kill(os.getpid(), {int(number)})")
    assert ended(life) == -number


def test_it_hears_sigterm(start: Start, output: Path) -> None:
    """Its end in good order has its own exit code."""
    life = start(f"import signal; signal.signal(15, lambda *_: exit(7)); {SLEEP}")
    up(output)
    life.signal_group(signal.SIGTERM)
    assert ended(life) == 7
    life.signal_group(signal.SIGTERM)  # nobody is there to hear it, which is no error


def test_what_is_paused_can_be_continued_and_killed(start: Start, output: Path) -> None:
    """Frozen by the engine, all of it."""
    life = start(SLEEP)
    up(output)
    assert life.stopped() == ()
    life.pause()
    assert life.pid in life.stopped()
    life.resume()
    assert life.stopped() == ()
    life.pause()
    assert life.kill() == -signal.SIGKILL


def test_what_stopped_itself_is_seen_and_continued(start: Start) -> None:
    """As at a crash point that pauses."""
    life = start("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    wait_until(life.stopped, deadline_s=20, describe="the role to stop itself")
    assert life.exit_code() is None
    life.resume()
    assert ended(life) == 0


def test_it_finds_the_links_and_its_folders(start: Start, parts: Parts, tmp_path: Path) -> None:
    """The database through its proxy, at the address of a role on this machine; files are ours."""
    link = Link(plane="database", source="slot1", target="database")
    url = parts.database.role_url("postgres", port=parts.layout.proxy(link))
    found = tmp_path / "journal" / "found"
    life = start(
        "import os, psycopg\n"
        "with psycopg.connect(os.environ['DATABASE_URL']) as connection:\n"
        "    (answer,) = connection.execute('SELECT 42').fetchone()\n"
        f"open({str(found)!r}, 'w').write(str(answer))",
        DATABASE_URL=url,
    )
    assert ended(life) == 0
    assert found.read_text() == "42"
    assert found.stat().st_uid == os.geteuid()


def test_an_image_that_is_not_there_is_told(holding: Holding, parts: Parts, output: Path) -> None:
    """It is never pulled in the middle of a run."""
    order = ContainerOrder(
        name="role 0",
        image="zero-loss-harness/no-such-image:1",
        command=(),
        environment={},
        folders=(),
        output=output,
    )
    with pytest.raises(LabError, match=r"did not start role 0 from zero-loss-harness/no-such"):
        role.start(order, lab=holding.folder.name, proxies=parts.toxiproxy.container)
    assert engine.connect().ping()
