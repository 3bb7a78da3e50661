"""The processes of the Kafka nodes of a local lab."""

from collections.abc import Iterable, Mapping

from harness.lab.layout import LISTENERS, Layout
from harness.lab.local.recipe import Recipe
from harness.lab.nodes.node_files import LOGGING, NodeFiles, answers
from harness.lab.process import Command, ServerProcess, plain_environment


def processes(
    files: Iterable[NodeFiles], *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
) -> dict[int, ServerProcess]:
    """Return the process of each node by its number, not yet started."""
    return {one.number: _process(one, layout=layout, recipe=recipe, mark=mark) for one in files}


def _process(
    files: NodeFiles, *, layout: Layout, recipe: Recipe, mark: Mapping[str, str]
) -> ServerProcess:
    audit = layout.listener(files.number, "AUDIT")
    command = Command(
        argv=(
            *recipe.java,
            # Native libraries of the codecs are unpacked there, and go with the lab.
            f"-Djava.io.tmpdir={files.folder / 'tmp'}",
            *LOGGING,
            "kafka.Kafka",
            str(files.folder / "node.properties"),
        ),
        folder=files.folder,
        log=files.folder / "server.log",
        environment={**plain_environment(), **mark},
        ports=tuple(layout.listener(files.number, name) for name in LISTENERS),
    )
    return ServerProcess(f"node {files.number}", command, answers=lambda: answers(audit))
