"""Owns the per-user cache folder: entries that are either whole or not there.

It knows nothing of what is in an entry; each part brings a builder that fills a folder.
"""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from harness.errors import ProvisionError

APPLICATION = "zero-loss-harness"
MANIFEST = ".complete.json"
LOCK_DEADLINE_S = 900.0
LOCK_PATIENCE_S = 0.5


def root() -> Path:
    """Return the cache folder of this user (XDG_CACHE_HOME is honoured); it may not exist yet."""
    return platformdirs.user_cache_path(APPLICATION, appauthor=False)


def shared_root() -> Path:
    """Return a cache folder that every account of this machine can read programs from.

    It differs from `root()` only where that one lies below a closed folder, as root's home does.
    """
    private = root()
    if os.geteuid() != 0 or reachable_by_all(private):
        return private
    return platformdirs.site_cache_path(APPLICATION, appauthor=False)


def reachable_by_all(path: Path) -> bool:
    """Tell whether any account may pass through every existing folder on the way to `path`."""
    folders = [folder for folder in (path, *path.parents) if folder.is_dir()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def entry(
    name: str,
    build: Callable[[Path], None],
    *,
    folder: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Path:
    """Return the whole cache entry `name`, building it first if it is absent or damaged.

    `build` fills an empty sibling folder, which then takes the name in one rename: a start that was
    killed half-way leaves nothing that looks whole, and two starts at once build only once.
    ProvisionError if the cache cannot be written or another start builds for too long.
    """
    home = root() if folder is None else folder
    target = home / name
    if is_whole(target):
        return target
    try:
        home.mkdir(parents=True, exist_ok=True)
        with locked(
            home / f".{name}.lock",
            waiting=f"another start makes {name}: waiting",
            progress=progress,
        ):
            if not is_whole(target):
                _build(target, build)
        _sweep(home)
    except OSError as error:
        raise ProvisionError(
            f"Making {name} in the cache folder {home} failed: {error}",
            remedy="free some space, or point XDG_CACHE_HOME at a folder you may write",
        ) from error
    return target


def is_whole(target: Path) -> bool:
    """Tell whether an entry is there with every file at the size it was built with."""
    try:
        sizes = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
        return all((target / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def remember(name: str, key: str, value: str) -> None:
    """Keep a small fact under `key` in the notebook `name`; a cache that is read-only is no error.

    Two writers at once may lose one of the facts, which is then found out again.
    """
    notebook = root() / f"{name}.json"
    try:
        notebook.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(recall(name) | {key: value}, indent=1, sort_keys=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=notebook.parent, prefix=f".{name}-", encoding="utf-8", delete=False
        ) as page:
            page.write(text)
        Path(page.name).replace(notebook)
    except OSError:
        return


def recall(name: str) -> dict[str, str]:
    """Return every fact of a notebook; one that is absent or damaged has none."""
    try:
        facts = json.loads((root() / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return facts if isinstance(facts, dict) else {}


@contextmanager
def locked(path: Path, *, waiting: str, progress: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of one entry; the kernel frees it when its holder dies.

    `waiting` is said once if somebody else holds it; ProvisionError if they do for too long.
    """
    import filelock  # noqa: PLC0415  # 70 ms that a warm start need not pay

    lock = filelock.FileLock(path)
    try:
        try:
            lock.acquire(timeout=LOCK_PATIENCE_S)
        except filelock.Timeout:
            progress(waiting)
            lock.acquire(timeout=LOCK_DEADLINE_S)
    except filelock.Timeout as error:
        raise ProvisionError(
            f"Another start holds {path} for more than {LOCK_DEADLINE_S:g} s",
            remedy="see which process has it open (lsof) and end it",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _sweep(home: Path) -> None:
    """Remove what dead starts left of other entries: parts whose lock nobody holds."""
    import filelock  # noqa: PLC0415  # see locked

    for part in home.glob(".*.part-*"):
        owner = part.name.rpartition(".part-")[0]
        with suppress(filelock.Timeout), filelock.FileLock(home / f"{owner}.lock", timeout=0):
            shutil.rmtree(part, ignore_errors=True)


def _build(target: Path, build: Callable[[Path], None]) -> None:
    """Build beside the target and rename; the caller holds the lock, so leftovers are dead."""
    for leftover in target.parent.glob(f".{target.name}.part-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    part = Path(tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=target.parent))
    try:
        part.chmod(0o755)
        build(part)
        files = sorted(path for path in part.rglob("*") if path.is_file())
        sizes = {str(path.relative_to(part)): path.stat().st_size for path in files}
        (part / MANIFEST).write_text(json.dumps(sizes), encoding="utf-8")
        if target.exists():
            target.rename(part.with_name(f"{part.name}-old"))
        part.rename(target)
    finally:
        for leftover in target.parent.glob(f"{part.name}*"):
            shutil.rmtree(leftover, ignore_errors=True)
