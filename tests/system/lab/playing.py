"""Plays one driver on the real lab, as the storm of a run does, and returns what it proved."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness.clock import wait_until
from harness.faults.driver import Driver, Evidence, Lasting, Surroundings
from harness.faults.linkbook import LinkBook
from harness.faults.make import make_driver
from harness.faults.watch import ClusterWatch
from harness.lab.local import LocalLab
from harness.schedule.values import Fault

from .conftest import TOPIC

GROUP = "lab-test-group"


@contextmanager
def surrounded(lab: LocalLab) -> Iterator[Surroundings]:
    """Watch the cluster; the topic's logical name is `orders`, and there is no pipeline."""
    watch = ClusterWatch(lab.cluster, on_change=lambda _: None)
    watch.start()
    no_pipeline: Any = None
    try:
        yield Surroundings(
            lab=lab,
            supervisor=no_pipeline,
            watch=watch,
            linkbook=LinkBook(lab.links),
            group=GROUP,
            topics={"orders": TOPIC},
            slots={("producer", 0): 1},
            tell=lambda _: None,
            database_url="",
            hit={},
        )
    finally:
        watch.stop()


@pytest.fixture
def around(lab: LocalLab) -> Iterator[Surroundings]:
    """Return the surroundings of a fault."""
    with surrounded(lab) as surroundings:
        yield surroundings


def hold(fault: Fault, around: Surroundings) -> Driver:
    """Apply a fault; return its driver once it holds and has done what it has to do."""
    driver = make_driver(fault, around)
    driver.apply()
    wait_until(driver.held, deadline_s=45, describe=f"{driver.what} to hold")
    if isinstance(driver, Lasting):
        lasting: Lasting = driver

        def finished() -> bool:
            lasting.pulse()
            return lasting.finished()

        wait_until(finished, deadline_s=90, describe=f"{driver.what} to be done")
    return driver


def heal(driver: Driver) -> Evidence:
    """Heal a fault that holds; return its evidence once it is verified healed."""
    driver.heal()
    wait_until(driver.healed, deadline_s=60, describe=f"{driver.what} to be healed", poll_s=0.1)
    return driver.evidence()


def play(
    fault: Fault, around: Surroundings, *, meanwhile: Callable[[Driver], None] = lambda _: None
) -> Evidence:
    """Play a fault from its start to its verified end; look at it `meanwhile`."""
    driver = hold(fault, around)
    meanwhile(driver)
    return heal(driver)
