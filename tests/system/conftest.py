"""What tests with whole labs share."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def labs() -> Iterator[Path]:
    """Return a folder in which the labs of one test are made (as its TMPDIR), and no other."""
    folder = Path(tempfile.mkdtemp(prefix="endings-"))
    folder.chmod(0o711)  # the account that runs PostgreSQL must get through
    yield folder
    shutil.rmtree(folder)
