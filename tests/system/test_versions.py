"""The same words on other releases of Kafka: a safe pipeline holds, an unsafe one is caught.

The oldest release by default; `RELEASES=all make system ARGS='-k test_versions'` plays every one.
The first use of a release fetches its jars.
"""

import os
from collections.abc import Iterator

import pytest

from harness.errors import ProvisionError
from harness.lab.choice import choose
from harness.run.session import LabSession, default_start
from harness.scenario import isolate, kill, leader, pipeline, variant

OLDEST, OTHERS = "3.9.1", ("4.0.1", "4.1.1")
RELEASES = (OLDEST, *OTHERS) if os.environ.get("RELEASES") == "all" else (OLDEST,)


@pytest.fixture(scope="module", params=RELEASES)
def session(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LabSession]:
    """Return a session on a lab of another release."""
    start = default_start(progress=print, choice=choose(kafka_version=request.param))
    with LabSession(start=start, runs=tmp_path_factory.mktemp(request.param)) as session:
        described = session.lab.describe()
        assert described["kafka"] == request.param
        yield session


def test_a_safe_pipeline_survives_the_death_of_its_leader(session: LabSession) -> None:
    """Evidence, election, catching up and the fresh reader work on this release, too."""
    fault = kill(leader("orders", 0)).after(acked=300).for_seconds(3)
    result = session.run(pipeline("outbox"), fault)
    result.assert_exactly_once()
    assert result.verdict.conditions["kafka"] == session.lab.describe()["kafka"]


def test_a_weaker_acks_is_caught(session: LabSession) -> None:
    """An isolated leader is fenced within six seconds, even if it was the controller as well."""
    fault = isolate(leader("orders", 0), flavour="hold").after(acked=300).for_seconds(6)
    session.catch(variant("acks-1"), fault)


def test_a_release_that_maven_does_not_have_is_one_error() -> None:
    """Which release, what Maven said, and what to do; no lab is begun."""
    start = default_start(progress=print, choice=choose(kafka_version="4.99.0"))
    with pytest.raises(ProvisionError, match=r"Kafka 4\.99\.0") as caught:
        start()
    assert "check the version" in str(caught.value)
