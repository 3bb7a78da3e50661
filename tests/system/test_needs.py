"""What a variant needs of its lab: another one is started for it, and the next run has its own."""

from pathlib import Path

from harness.run.session import LabSession, default_start
from harness.scenario import pipeline, variant


def test_a_variant_that_needs_another_lab_gets_it_and_leaves_it(tmp_path: Path) -> None:
    """A feature level, a setting of every node, and after them the plain lab again."""
    with LabSession(start=default_start(progress=print), runs=tmp_path) as session:
        session.run(variant("last-replica-standing")).assert_exactly_once()
        assert session.lab.describe()["features"] == "eligible.leader.replicas.version=0"
        session.run(variant("offsets-on-one-replica")).assert_exactly_once()
        settings = session.lab.describe()["nodes"]
        assert isinstance(settings, dict)
        assert settings["1"]["offsets.topic.replication.factor"] == "1"
        name = session.lab.describe()["name"]
        session.run(variant("offsets-on-one-replica")).assert_exactly_once()
        assert session.lab.describe()["name"] == name
        session.run(pipeline("outbox")).assert_exactly_once()
        assert session.lab.describe()["features"] == ""
