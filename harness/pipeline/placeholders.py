"""`${NAME}` in commands and environment values: which names there are, and filling them in."""

import difflib
import re
from collections.abc import Iterable, Mapping

from harness.errors import UsageError
from harness.pipeline.spec import LOCK_VARIABLES, PipelineFile, topic_variable

_PLACEHOLDER = re.compile(r"\$(?:(?P<escaped>\$\{)|\{(?P<name>[^}]*)\}?)")
GIVEN = (
    "PYTHON",
    "KAFKA_BOOTSTRAP_SERVERS",
    "DATABASE_URL",
    "PGHOST",
    "PGPORT",
    "PGUSER",
    "PGPASSWORD",
    "PGDATABASE",
    "PGAPPNAME",
    "KAFKA_GROUP_ID",
    "WORKLOAD_RATE",
    "WORKLOAD_BATCH",
    "WORKLOAD_KEYS",
    "WORKLOAD_PAYLOAD_BYTES",
    "WORKLOAD_SEED",
    "HARNESS_ROLE",
    "HARNESS_INSTANCE",
    "HARNESS_INSTANCES",
    "HARNESS_JOURNAL",
    "HARNESS_COUNTERS",
    "HARNESS_PROFILE",
)
"""What every role is given; on top come TOPIC_<NAME> for each topic, and lock services in use."""


def given_names(file: PipelineFile, *, role: str) -> tuple[str, ...]:
    """Return the variables that a placeholder of this role may name."""
    locks = (LOCK_VARIABLES[peer] for peer in file.roles[role].uses if peer in LOCK_VARIABLES)
    return (*GIVEN, *locks, *(topic_variable(topic) for topic in file.topics))


def names_in(text: str) -> tuple[str, ...]:
    """Return the names that `text` asks for."""
    found = (match["name"] for match in _PLACEHOLDER.finditer(text))
    return tuple(name for name in found if name is not None)


def unknown_name(name: str, *, known: Iterable[str]) -> str:
    """Return the sentence about a name that does not exist: the nearest one, and all there are."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean ${{{near[0]}}}? " if near else ""
    return f"${{{name}}} is not given to this role; {hint}valid: {', '.join(names)}"


def fill(text: str, *, values: Mapping[str, str], where: str) -> str:
    """Return `text` with every `${NAME}` replaced; `$${` stands for `${`. UsageError if unknown."""

    def value_of(match: re.Match[str]) -> str:
        if match["escaped"]:
            return "${"
        name = match["name"]
        if name not in values:
            raise UsageError(f"{where}: {unknown_name(name, known=values)}")
        return values[name]

    return _PLACEHOLDER.sub(value_of, text)
