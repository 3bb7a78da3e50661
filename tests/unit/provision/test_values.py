"""The small decisions of provisioning, without a program or a download."""

import json
from pathlib import Path

import pytest

from harness.provision import (
    classdata,
    doctor,
    java,
    jvm,
    kafka,
    maven,
    parts,
    postgres,
    redis,
    wheel,
    zookeeper,
)
from harness.provision.backend import BackendChoice
from harness.provision.values import Found


@pytest.mark.parametrize(
    ("version", "feature"), [("17.0.15", 17), ("25", 25), ("1.8.0_402", 8), ("21-ea", 21)]
)
def test_the_feature_release_of_java_is_read(version: str, feature: int) -> None:
    """Old and new ways of writing a version lead to the same number."""
    assert java._feature(version) == feature  # noqa: SLF001  # its only caller starts a process


def test_newer_servers_come_first() -> None:
    """Folders are compared by number: 15 is newer than 9.6."""
    folders = [Path(f"/usr/lib/postgresql/{each}/bin") for each in ("9.6", "15", "13")]
    newest = sorted(folders, key=postgres._numbers, reverse=True)  # noqa: SLF001  # see above
    assert [folder.parent.name for folder in newest] == ["15", "13", "9.6"]


def _provided(archive: Path | None) -> parts.Parts:
    found = Found(path=Path("/jdk/bin/java"), version="17.0.15", origin="PATH")
    return parts.Parts(
        java=found.path,
        kafka_libs=(Path("/libs/a.jar"), Path("/libs/b.jar")),
        kafka_version="4.3.1",
        toxiproxy=Path("/bin/toxiproxy-server"),
        postgres_bin=Path("/pg/bin"),
        class_archive=archive,
        bootstrap_checkpoint=Path("/c/bootstrap.checkpoint"),
        found=(("java", found),),
    )


def test_the_command_spells_out_the_class_path_and_maps_the_archive() -> None:
    """Jar by jar, in the order of the parts, with the archive and the heap that was asked for."""
    argv = parts.java_command(_provided(Path("/c/kafka.jsa")), heap_mb=128)
    assert argv[0] == "/jdk/bin/java"
    assert argv[-2:] == ["-cp", "/libs/a.jar:/libs/b.jar"]
    assert {"-Xmx128m", "-Xshare:auto", "-XX:SharedArchiveFile=/c/kafka.jsa"} <= set(argv)


def test_the_command_without_an_archive_names_none() -> None:
    """A JVM must not be pointed at an archive that is not there."""
    argv = parts.java_command(_provided(None))
    assert [flag for flag in argv if "hare" in flag] == []
    assert argv == jvm.arguments(Path("/jdk/bin/java"), _provided(None).kafka_libs)


def test_parts_describe_themselves_as_json() -> None:
    """`environment.json` gets version, origin and place of each program."""
    described = _provided(None).describe()
    assert described == {"java": "17.0.15 (PATH: /jdk/bin/java)", "class data": "none"}
    assert json.loads(json.dumps(described)) == described


@pytest.mark.parametrize("project", [java.WHEEL, postgres.WHEEL, redis.WHEEL])
def test_each_wheel_is_pinned(project: str) -> None:
    """The lock file of a fallback names a version."""
    assert wheel.locked_version(project)[0].isdigit()


@pytest.mark.parametrize(
    ("release", "jars"),
    [
        (f"kafka-{kafka.KAFKA_VERSION}", 46),
        (f"zookeeper-{zookeeper.ZOOKEEPER_VERSION}", 24),
    ],
)
def test_the_jars_of_the_default_release_are_pinned(release: str, jars: int) -> None:
    """Every line of the list of hashes is a SHA-256 and a jar."""
    lines = (maven.DATA / f"{release}.sha256").read_text().splitlines()
    assert len(lines) == jars
    assert all(len(line.split()[0]) == 64 and line.endswith(".jar") for line in lines)


def test_an_archive_is_for_one_runtime_and_one_class_path(tmp_path: Path) -> None:
    """A changed jar, another order or another Java is another archive."""
    program, one, two = (tmp_path / name for name in ("java", "1.jar", "2.jar"))
    for path in (program, one, two):
        path.write_bytes(b"a")
    key = classdata._key  # noqa: SLF001  # what an archive is filed under
    keys = [key(program, (one, two)), key(program, (two, one)), key(one, (one, two))]
    two.write_bytes(b"longer")
    keys.append(key(program, (one, two)))
    assert len(set(keys)) == len(keys)


def test_the_doctor_says_what_a_person_must_do() -> None:
    """Found, fetchable and missing are told apart; only the last keeps a lab from starting."""
    found = doctor.PartReport(name="java", state="found", detail="17", notes=("JAVA_HOME: bad",))
    later = doctor.PartReport(name="kafka", state="fetchable", detail="would be fetched")
    gone = doctor.PartReport(name="maven", state="missing", detail="not on PATH", remedy="install")
    assert doctor.ready((found, later))
    assert not doctor.ready((found, gone))
    lines = doctor.render((found, later, gone)).splitlines()
    assert lines[0].startswith("✓ java")
    assert "passed over: JAVA_HOME: bad" in lines[1]
    assert lines[2].startswith("↓ kafka")
    assert "→ install" in lines[4]
    assert lines[-1].startswith("A lab cannot start here")


def test_an_optional_part_that_is_missing_keeps_nothing_from_starting() -> None:
    """It is told, with its remedy, and without the mark of what must be mended."""
    gone = doctor.PartReport(
        name="wrong clocks", state="missing", detail="not here", remedy="install", optional=True
    )
    lines = doctor.render((gone,)).splitlines()

    assert doctor.ready((gone,))
    assert lines[0].startswith("- wrong clocks")
    assert "→ install" in lines[1]
    assert lines[-1] == "A lab can start here."


def test_containers_bring_their_parts_with_them() -> None:
    """Where a lab runs in containers, nothing that this machine lacks keeps it from starting."""
    gone = doctor.PartReport(name="maven", state="missing", detail="not on PATH", remedy="install")
    local = BackendChoice(backend="local", why="no engine", remedy="install Docker")
    docker = BackendChoice(backend="docker", why="an engine answers")

    assert not doctor.ready((gone,), choice=local)
    assert doctor.ready((gone,), choice=docker)
    assert doctor.render((gone,), choice=docker).splitlines()[-1] == "A lab can start here."
    assert "for the docker backend: install Docker" in doctor.render((), choice=local)
