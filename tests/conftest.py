"""What holds for every test: Hypothesis judges what a function does, never how long it took."""

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from harness.errors import UsageError

if TYPE_CHECKING:
    from harness.provision.images.names import Images

# On a shared machine any example may have to wait for others; times belong into benchmarks.
settings.register_profile("harness", deadline=None)
settings.load_profile("harness")


@pytest.fixture(scope="session")
def images() -> "Images":
    """Return images that the engine has; skip, saying why, where there is no engine or none."""
    from harness.lab.docker import engine  # noqa: PLC0415  # half a second that few tests need
    from harness.provision.images.names import OWN, PUBLIC  # noqa: PLC0415

    try:
        client = engine.connect()
    except UsageError as error:
        pytest.skip(error.message)
    with closing(client):
        for each in (OWN, PUBLIC):
            try:
                engine.require(client, each.all())
            except UsageError as error:
                missing = error.message
            else:
                return each
    pytest.skip(missing)
