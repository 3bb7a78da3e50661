"""Servers that are taken out while another fault has them already, or while they cannot answer."""

from types import SimpleNamespace

import pytest

from harness.faults import rolling
from harness.faults.database import database_outage
from harness.faults.driver import Surroundings
from harness.faults.resolve import FaultError, partition_state
from harness.faults.rolling import RestartOfAll

from .standing_in import surroundings_of


class FakeProcess:
    """A server that runs until it is killed, and serves as soon as it is started."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.running = True

    def pid(self) -> int | None:
        """Return a number while it runs."""
        return 1 if self.running else None

    def kill(self) -> None:
        """End it."""
        self.running = False

    def start(self) -> None:
        """Let it run again."""
        self.running = True

    def exit_code(self) -> int:
        """Return the status of a killed one."""
        return -9

    def serves(self) -> bool:
        """Tell whether it runs."""
        return self.running

    def url(self, _database: str) -> str:
        """Return where nobody answers."""
        return "postgresql://127.0.0.1:1/postgres"


@pytest.fixture
def nodes() -> dict[int, FakeProcess]:
    """Return three nodes."""
    return {number: FakeProcess(f"node {number}") for number in (1, 2, 3)}


@pytest.fixture
def around(nodes: dict[int, FakeProcess]) -> Surroundings:
    """Return a lab of these nodes that is always in sync."""
    return surroundings_of(
        lab=SimpleNamespace(
            nodes=nodes,
            links=SimpleNamespace(all=lambda: (), traffic=lambda _: {}),
            cluster=SimpleNamespace(partitions=lambda: (), registered=lambda: frozenset(nodes)),
        ),
        watch=SimpleNamespace(changes_since=lambda _: ()),
    )


def test_a_rolling_restart_leaves_a_node_alone_that_another_fault_has_killed(
    nodes: dict[int, FakeProcess], around: Surroundings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It cannot go on, and does not start what the other one wants to be down."""
    now_s = [0.0]
    monkeypatch.setattr(rolling, "monotonic_s", lambda: now_s[0])
    restart = RestartOfAll("kill", around=around)
    restart.apply()
    now_s[0] = 1.0
    restart.pulse()
    nodes[2].kill()
    now_s[0] = 2.0

    with pytest.raises(FaultError, match="node 2 was not running"):
        restart.pulse()

    restart.heal()
    assert [node.running for node in nodes.values()] == [True, False, True]
    assert not restart.evidence().bit
    assert "before node 2 and 3 had been restarted" in restart.evidence().sentences[-1]


def test_a_database_that_answers_nobody_is_known_to_be_felt_by_nobody() -> None:
    """It is still recovering from an earlier kill: it is taken out, and that is no bite."""
    database = FakeProcess("the database")
    outage = database_outage("kill", around=surroundings_of(lab=SimpleNamespace(database=database)))
    outage.apply()
    assert outage.held()
    assert not outage.evidence().bit
    assert "sessions of the pipeline could not be counted" in outage.evidence().sentences[-1]


@pytest.mark.parametrize(("clients", "bit"), [(2, True), (0, False)])
def test_a_server_outage_bit_when_a_client_was_connected(
    monkeypatch: pytest.MonkeyPatch, clients: int, *, bit: bool
) -> None:
    """And says how many there were."""
    lab = SimpleNamespace(database=FakeProcess("the database"))
    outage = database_outage("kill", around=surroundings_of(lab=lab))
    monkeypatch.setattr(outage, "_clients", lambda: clients)
    outage.apply()
    assert outage.evidence().bit is bit
    assert outage.evidence().sentences[-1] == f"{clients} sessions of the pipeline ended with it"


def test_a_partition_that_the_watch_has_forgotten_is_no_target_at_this_moment() -> None:
    """Its topic is being made anew: the schedule is right, and the fault meets nothing."""
    around = surroundings_of(topics={}, watch=SimpleNamespace(state=lambda _topic, _number: None))
    with pytest.raises(FaultError, match="no partition orders/0 at this moment"):
        partition_state("orders", 0, around)
