"""An entry of the cache is either whole or not there."""

from pathlib import Path

import pytest

from harness.errors import ProvisionError
from harness.provision import cache


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Put the user's cache into the test's folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache, "root", lambda: tmp_path / cache.APPLICATION)
    return tmp_path / cache.APPLICATION


class Builder:
    """Fills an entry with one file and counts how often it was asked to."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, part: Path) -> None:
        """Fill the folder."""
        self.calls += 1
        (part / "libs").mkdir()
        (part / "libs" / "a.jar").write_bytes(b"0123456789")


def test_an_entry_is_built_once() -> None:
    """The second call finds what the first has built."""
    build = Builder()
    assert cache.entry("kafka", build) == cache.entry("kafka", build)
    assert build.calls == 1


def test_a_build_that_fails_leaves_nothing(home: Path) -> None:
    """The error passes through, no folder stays, and the next build starts anew."""

    def fail(part: Path) -> None:
        (part / "half.jar").touch()
        raise ProvisionError("no network")

    with pytest.raises(ProvisionError, match="no network"):
        cache.entry("kafka", fail)
    assert [path.name for path in home.iterdir()] == [".kafka.lock"]
    cache.entry("kafka", Builder())
    assert cache.is_whole(home / "kafka")


@pytest.mark.parametrize("damage", ["shorten", "remove a file", "remove the manifest"])
def test_a_damaged_entry_is_built_again(home: Path, damage: str) -> None:
    """What a cleaner or a full disk did to an entry is seen, and put right."""
    build = Builder()
    target = cache.entry("kafka", build)
    victim = target / (cache.MANIFEST if "manifest" in damage else "libs/a.jar")
    victim.write_bytes(b"0") if damage == "shorten" else victim.unlink()
    assert not cache.is_whole(target)
    cache.entry("kafka", build)
    assert build.calls == 2
    assert (home / "kafka" / "libs" / "a.jar").read_bytes() == b"0123456789"


def test_what_dead_starts_left_is_swept_and_nothing_else(home: Path) -> None:
    """Parts whose lock nobody holds go, of any entry; whole entries stay."""
    for name in (".kafka.part-dead", ".toxiproxy.part-dead-old", "postgres"):
        (home / name).mkdir(parents=True)
    cache.entry("kafka", Builder())
    assert sorted(path.name for path in home.iterdir() if path.is_dir()) == ["kafka", "postgres"]


def test_a_cache_that_cannot_be_written_is_one_error_with_a_remedy(home: Path) -> None:
    """A file where the folder should be ends in a ProvisionError that names XDG_CACHE_HOME."""
    home.touch()
    with pytest.raises(ProvisionError, match="failed") as caught:
        cache.entry("kafka", Builder())
    assert "XDG_CACHE_HOME" in str(caught.value.remedy)


def test_a_fact_is_remembered_and_a_torn_notebook_is_empty(home: Path) -> None:
    """Facts outlive the process; a notebook that is not JSON holds none and is no error."""
    cache.remember("versions", "java", "17")
    cache.remember("versions", "postgres", "15")
    assert cache.recall("versions") == {"java": "17", "postgres": "15"}
    (home / "versions.json").write_text('{"java": "1')
    assert cache.recall("versions") == {}


def test_a_closed_folder_on_the_way_is_not_reachable(tmp_path: Path) -> None:
    """Every folder on the way counts, not only the last."""
    closed = tmp_path / "closed"
    (closed / "open").mkdir(parents=True)
    closed.chmod(0o700)
    assert not cache.reachable_by_all(closed / "open" / "not-there-yet")
    assert cache.reachable_by_all(Path("/usr/bin"))
