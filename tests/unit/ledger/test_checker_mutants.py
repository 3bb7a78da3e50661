"""Tests of the tests: a checker with a defect of its own must fail the test that is named for it.

Each mutant is one function of the ledger with one place of its source changed, put into force for
one test. A mutant that its test lets through shows a test that cannot fail.
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.ledger import arrivals, checker, outcome, publishing, tally

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FunctionType, ModuleType

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A function of the checker in which `old` was written as `new`, and who must notice."""

    function: Any
    old: str
    new: str
    file: str
    test: str
    given: dict[str, object] = field(default_factory=dict)
    """The parametrised arguments of the test."""


def _defect(function: object, old: str, new: str, test: str, **given: object) -> Mutant:
    """Return a mutant that a test of `test_checker_defects.py` must catch."""
    file = "test_checker_defects"
    return Mutant(function=function, old=old, new=new, file=file, test=test, given=given)


def _finding(function: object, old: str, new: str, test: str) -> Mutant:
    """Return a mutant that a test of `test_checker_findings.py` must catch."""
    return Mutant(function=function, old=old, new=new, file="test_checker_findings", test=test)


def _verdict(function: object, old: str, new: str, test: str) -> Mutant:
    """Return a mutant that a test of `test_outcome.py` must catch."""
    return Mutant(function=function, old=old, new=new, file="test_outcome", test=test)


MUTANTS = {
    "ignores the last partition": _defect(
        tally.count_log,
        'in log.batches("message_id", *wanted):',
        'in list(log.batches("message_id", *wanted))[:-1]:',
        "test_the_last_partition_is_looked_at",
    ),
    "a set in place of a multiset": _defect(
        tally._count_effects,  # noqa: SLF001  # the very place
        "np.add.at(tally.effects[code], rows, np.ones(len(rows), dtype=np.int32))",
        "tally.effects[code][rows] = 1",
        "test_effects_are_a_multiset",
    ),
    "counters that wrap": _defect(
        tally._count_effects,  # noqa: SLF001
        "np.zeros(len(tally.outcome), dtype=np.int32)",
        "np.zeros(len(tally.outcome), dtype=np.uint8)",
        "test_counters_do_not_wrap_to_none_or_one",
        copies=255,
    ),
    "judges before the heal": _verdict(
        outcome._read_too_early,  # noqa: SLF001
        '"verified" not in timeline.states_before_reading(fault.index)',
        "fault.state is None",
        "test_witnesses_read_before_the_heal_prove_nothing",
    ),
    "judges a run that broke off": _verdict(
        outcome._read_too_early,  # noqa: SLF001
        'if not timeline.reached("read"):',
        "if timeline.broken:",
        "test_a_run_that_ended_before_reading_is_unknown",
    ),
    "counts an unknown send as lost": _defect(
        checker.check,
        "required |= tally.mask(UNKNOWN) & shown",
        "required |= tally.mask(UNKNOWN)",
        "test_an_intent_that_is_not_known_to_be_committed_is_not_missed",
        outcome="unknown",
    ),
    "counts a failed send as lost": _defect(
        checker.check,
        "required = tally.mask(COMMITTED)",
        "required = tally.mask(COMMITTED) | (tally.outcome == 2)",
        "test_an_intent_that_is_not_known_to_be_committed_is_not_missed",
        outcome="failed",
    ),
    "forgets an unknown commit": _defect(
        checker.check,
        "required |= tally.mask(UNKNOWN) & shown",
        "required |= tally.mask(UNKNOWN) & (tally.log > 0)",
        "test_an_unknown_commit_with_an_outbox_row_must_end_in_an_effect",
    ),
    "counts a gap in offsets as lost": _defect(
        tally.count_log,
        "present = _present(tally, batch, slots=slots, topic=topic)",
        'present = numbers(batch.column("offset")) < log.rows',
        "test_a_gap_in_offsets_is_not_a_loss",
    ),
    "counts copies in the log as duplicates": _defect(
        checker._duplicates,  # noqa: SLF001
        "(counts > 1) & wanted",
        "((counts > 1) | (tally.log > 1)) & wanted",
        "test_copies_in_the_log_are_figures",
    ),
    "accepts an empty run": _verdict(
        outcome._no_traffic,  # noqa: SLF001
        "if not figures.get(figure)",
        "if figure not in figures",
        "test_an_empty_run_is_vacuous",
    ),
    "passes a fault without a bite": Mutant(
        function=outcome.decide,
        old="for f in faults if not f.bit",
        new="for f in faults if not f",
        file="test_outcome",
        test="test_a_fault_that_did_not_go_as_scheduled_is_never_passed",
        given={
            "states": ("asked", "held", "healed", "verified"),
            "bit": False,
            "expected": ("VACUOUS", 3),
        },
    ),
    "takes an aborted record for one that is there": _finding(
        tally.present_rows,
        "present &= ~aborted",
        "present &= present",
        "test_an_effect_of_an_aborted_record_is_accused",
    ),
    "takes a record on any topic": _finding(
        tally.present_rows,
        "(topic == wanted) |",
        "(topic == topic) |",
        "test_a_record_on_another_topic_is_corrupt_and_lost_on_its_own",
    ),
    "believes the mark of an unacknowledged row": _finding(
        publishing._acked,  # noqa: SLF001
        "if evidence.acks_journalled:",
        "if tally.sent is None and evidence.acks_journalled:",
        "test_a_mark_without_journalled_ack_is_never_published",
    ),
    "looks at one consumer only": _finding(
        arrivals.effect_accusations,
        "for reader in readers(tally, facts):",
        "for reader in list(readers(tally, facts))[:1]:",
        "test_each_consumer_must_have_its_effect",
    ),
    "excuses everything in a pipeline that did not drain": _finding(
        arrivals._accuse,  # noqa: SLF001
        "~read & ~passed & (not facts.drained)",
        "~read & (not facts.drained)",
        "test_a_record_that_a_later_effect_passed_is_lost",
    ),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_checker_with_a_defect_fails_the_test_that_is_named_for_it(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, mutant: Mutant
) -> None:
    """And without the defect the very same call passes."""
    named = getattr(_tests(mutant.file), mutant.test)
    _call(named, request, mutant.given)
    code = _mutated(mutant)
    with monkeypatch.context() as patch:
        patch.setattr(mutant.function, "__code__", code)
        with pytest.raises(AssertionError):
            _call(named, request, mutant.given)


def _tests(name: str) -> ModuleType:
    """Load a test file beside this one under a name of its own."""
    alias = f"mutants_of_{name}"
    if alias not in sys.modules:
        spec = importlib.util.spec_from_file_location(alias, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[alias] = module
        spec.loader.exec_module(module)
    return sys.modules[alias]


def _call(
    named: Callable[..., None], request: pytest.FixtureRequest, given: Mapping[str, object]
) -> None:
    """Call a test with a fresh world each time, for tests break theirs."""
    arguments = dict(given)
    for name in inspect.signature(named).parameters:
        if name == "world":
            arguments[name] = request.getfixturevalue("make_world")()
        elif name not in arguments:
            arguments[name] = request.getfixturevalue(name)
    named(**arguments)


def _mutated(mutant: Mutant) -> CodeType:
    """Return the code of the function with its defect, compiled where the function stands."""
    source = textwrap.dedent(inspect.getsource(mutant.function))
    assert source.count(mutant.old) == 1, f"{mutant.old!r} stands there no more"
    built: dict[str, FunctionType] = {}
    exec(  # noqa: S102 - our own source
        compile(source.replace(mutant.old, mutant.new), "<mutant>", "exec"),
        dict(mutant.function.__globals__),
        built,
    )
    return built[mutant.function.__name__].__code__
