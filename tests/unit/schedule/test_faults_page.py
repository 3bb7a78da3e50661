"""docs/faults.md: every word that scenarios have is explained there, and none that they lack."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from harness import scenario
from harness.run.plan import pipeline
from harness.schedule import network_words, words
from harness.schedule.network import Flavour
from harness.schedule.validate import check_schedule
from harness.schedule.values import Fault, Schedule

PAGE = (Path(__file__).parents[3] / "docs" / "faults.md").read_text(encoding="utf-8")
WORDS = {
    name: word
    for module in (words, network_words)
    for name, word in vars(module).items()
    if callable(word) and getattr(word, "__module__", "") == module.__name__ and name[0] != "_"
}
EXAMPLES = [
    code
    for code in re.findall(r"`([a-z_]+\([^`]*\))`", PAGE)
    if code.partition("(")[0] in WORDS and "…" not in code
]
NAMES: dict[str, Any] = {
    **WORDS,
    "node": words.node(1),
    "target": words.node(1),
    "a": words.node(1),
    "b": words.node(2),
    "topic": "orders",
    "partition": 0,
    "role": "relay",
    "number": 0,
}


def test_every_word_is_explained_and_can_be_imported() -> None:
    """A word that stands nowhere is a word that nobody uses."""
    assert [name for name in WORDS if not re.search(rf"`[^`]*\b{name}\(", PAGE)] == []
    assert set(WORDS) <= set(scenario.__all__)


def test_every_flavour_is_explained() -> None:
    """By its own word, or by the function that makes it."""
    by_word = {"slice": "slices("}
    assert [f for f in get_args(Flavour) if by_word.get(f, f) not in PAGE] == []


@pytest.mark.parametrize("code", EXAMPLES)
def test_what_the_page_shows_is_valid(code: str) -> None:
    """Each example is a value; the page's own stand-ins are nodes, a topic and a role."""
    called = {code.partition("(")[0]: WORDS[code.partition("(")[0]]}
    assert eval(code, {**NAMES, **called}) is not None  # noqa: S307  # a page of our own


def test_the_first_example_can_be_played() -> None:
    """On the reference pipeline, within the safe budget."""
    found: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0], found)  # noqa: S102  # our own

    class Lab:
        """Checks what it is given in place of playing it."""

        def run(self, spec: Any, *faults: Fault) -> "Lab":  # noqa: ANN401
            """Check the faults."""
            check_schedule(
                Schedule(pipeline=spec.name, faults=faults),
                topics={name: topic.partitions for name, topic in spec.topics.items()},
                roles={name: role.instances for name, role in spec.roles.items()},
            )
            return self

        def assert_exactly_once(self) -> None:
            """Agree."""

    assert pipeline("outbox").name == "outbox"
    found["test_two_faults_at_once"](Lab())
