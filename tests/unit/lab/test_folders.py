"""Where labs live: PostgreSQL must get through to it, which is told before anything starts."""

import os
import tempfile
from pathlib import Path

import pytest

from harness.errors import LabError
from harness.lab.keeping import folders


@pytest.mark.skipif(os.geteuid() != 0, reason="PostgreSQL has an account of its own for root only")
def test_a_folder_that_admits_its_owner_only_is_told_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server itself would say "Permission denied" behind three nodes' logs."""
    with tempfile.TemporaryDirectory() as closed:  # its mode is 0700
        monkeypatch.setattr(tempfile, "tempdir", closed)
        with pytest.raises(LabError, match=f"{closed} lets only some accounts through") as told:
            folders.require_passage()
        assert told.value.remedy is not None
        assert f"chmod o+x {closed}" in told.value.remedy
        Path(closed).chmod(0o711)
        folders.require_passage()
        assert folders.root().is_dir()
