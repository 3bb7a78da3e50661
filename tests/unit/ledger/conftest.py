"""Worlds of witnesses, and their timelines, for tests to break."""

from collections.abc import Callable

import pytest

from .worlds import Row, World, healthy, quiet_timeline


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Return the maker of healthy worlds."""
    return healthy


@pytest.fixture(scope="session")
def empty_world() -> type[World]:
    """Return the class of worlds, for tests that fill one from nothing."""
    return World


@pytest.fixture(scope="session")
def make_timeline() -> Callable[..., list[Row]]:
    """Return the maker of quiet timelines."""
    return quiet_timeline


@pytest.fixture
def world() -> World:
    """Return a healthy world of six messages."""
    return healthy()
