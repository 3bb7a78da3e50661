"""Clears what dead labs of this user left behind, and touches nothing that lives."""

from pathlib import Path

from harness.errors import LabError
from harness.lab.keeping import folders, warden
from harness.lab.keeping.claims import try_claim


def clear_dead_labs() -> tuple[str, ...]:
    """Clear every lab whose claim nobody holds any more; return their names."""
    cleared = []
    for folder in folders.known():
        claim = try_claim(Path(f"{folder}{folders.SUFFIX}"))
        if claim is None:
            continue  # its harness, or the warden that is clearing it, lives
        try:
            survivors = warden.clear(folder, name=folder.name)
        finally:
            claim.release(unlink=True)
        if survivors:
            raise LabError(
                f"Processes {survivors} of the dead lab {folder.name} would not end",
                remedy="end them by hand: they may hold ports and memory",
            )
        cleared.append(folder.name)
    return tuple(cleared)
