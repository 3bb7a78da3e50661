"""What the lab writes itself, against what Kafka's own tool writes."""

import subprocess
from pathlib import Path

from harness.lab.layout import Layout
from harness.lab.local.recipe import Recipe
from harness.lab.nodes import node_config
from harness.lab.profile import FAST
from harness.provision.kafka_uuid import kafka_uuid


def entries(path: Path) -> dict[str, str]:
    """Read a properties file."""
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_formatting_matches_the_storage_tool(recipe: Recipe, tmp_path: Path) -> None:
    """The same files, the same keys, and the same values where they are not drawn."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    cluster = kafka_uuid()
    node_config.format_storage(
        ours, node=2, cluster_id=cluster, bootstrap_checkpoint=recipe.bootstrap_checkpoint
    )
    settings = node_config.properties(
        2, layout=Layout(base=20_000), data=theirs, profile=FAST, kafka_version=recipe.kafka_version
    )
    file = tmp_path / "node.properties"
    file.write_text(node_config.render(settings))
    subprocess.run(
        [*recipe.java, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(file)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    assert sorted(path.name for path in ours.iterdir()) == sorted(
        path.name for path in theirs.iterdir()
    )
    expected, actual = entries(theirs / "meta.properties"), entries(ours / "meta.properties")
    assert len(actual.pop("directory.id")) == len(expected.pop("directory.id"))
    assert actual == expected
    sizes = {(folder / "bootstrap.checkpoint").stat().st_size for folder in (ours, theirs)}
    assert len(sizes) == 1
