"""`pipeline.toml` → a checked Spec. Every mistake in a file becomes one UsageError.

Owns reading and checking; runs nothing and opens no connection.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from harness.errors import UsageError
from harness.pipeline.mistakes import describe
from harness.pipeline.placeholders import given_names, names_in, unknown_name
from harness.pipeline.spec import PipelineFile, Spec, topic_variable

BUILT_IN = {"outbox": Path(__file__).parent / "reference" / "pipeline.toml"}
"""Pipelines that come with the harness, by the name a schedule may call them."""

T = TypeVar("T")


def load_pipeline(name_or_path: str | Path) -> Spec:
    """Read a pipeline: a built-in name (`outbox`), a pipeline.toml, or the folder of one."""
    path = BUILT_IN.get(str(name_or_path), Path(name_or_path))
    if path.is_dir():
        path /= "pipeline.toml"
    return check_pipeline(read_toml(path), path=path.resolve(), source=str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """Return the document of a TOML file; UsageError with line and column if it is not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        names = ", ".join(BUILT_IN)
        raise UsageError(
            f"{path}: there is no such file",
            remedy=f"name a pipeline.toml, its folder, or a built-in pipeline ({names})",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not TOML: {error}") from error


def check_pipeline(
    document: Mapping[str, Any], *, path: Path, source: str, variant: str | None = None
) -> Spec:
    """Check a document and return its Spec; `source` is what a mistake is blamed on."""
    file = checked(PipelineFile, document, source=source)
    mistakes = list(_mistakes(file, path.parent))
    if mistakes:
        raise UsageError("\n".join(f"{source}: {mistake}" for mistake in mistakes))
    return Spec(path=path, file=file, document=document, variant=variant)


def checked(kind: type[T], document: Mapping[str, Any], *, source: str) -> T:
    """Return `document` as a `kind`, or raise one UsageError that tells every mistake in it."""
    try:
        text = json.dumps(document, default=str)
        return cast("T", _adapter(cast("Hashable", kind)).validate_json(text))
    except ValidationError as error:
        lines = (f"{source}: {sentence}" for sentence in describe(error, kind=kind))
        raise UsageError("\n".join(lines)) from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - any type form
    return TypeAdapter(kind)


def _mistakes(file: PipelineFile, folder: Path) -> Iterator[str]:
    """Yield what is well-formed and still cannot be meant."""
    schema = file.pipeline.schema
    if schema is not None and not (folder / schema).is_file():
        yield f"pipeline.schema: there is no file {schema} beside it"
    for variable, times in Counter(map(topic_variable, file.topics)).items():
        if times > 1:
            yield f"topics: {times} names lead to the same variable {variable}; rename all but one"
    named = [(f"consumers.{name}.topics", each.topics) for name, each in file.consumers.items()]
    named += [(f"topics.{name}.copies", each.copies) for name, each in file.topics.items()]
    for place, topics in named:
        for topic in topics:
            if topic not in file.topics:
                known = ", ".join(file.topics) or "none"
                yield f"{place}: there is no topic {topic}; topics are: {known}"
    for name in file.roles:
        yield from _mistakes_in_role(file, name, folder)


def _mistakes_in_role(file: PipelineFile, name: str, folder: Path) -> Iterator[str]:
    role = file.roles[name]
    if role.image is None and not role.command:
        yield f"roles.{name}.command is missing; only a role with an image may do without"
    if role.image is not None and role.cwd != ".":
        yield f"roles.{name}.cwd: its image says where it starts; take it out"
    if not (folder / role.cwd).is_dir():
        yield f"roles.{name}.cwd: there is no folder {role.cwd} beside it"
    yield from _unknown_names(file, name)


def _unknown_names(file: PipelineFile, name: str) -> Iterator[str]:
    role, given = file.roles[name], given_names(file, role=name)
    texts = [(f"env.{key}", value, given) for key, value in role.env.items()]
    texts += [(f"command[{i}]", text, (*given, *role.env)) for i, text in enumerate(role.command)]
    for where, text, known in texts:
        for unknown in names_in(text):
            if unknown not in known:
                yield f"roles.{name}.{where}: {unknown_name(unknown, known=known)}"
