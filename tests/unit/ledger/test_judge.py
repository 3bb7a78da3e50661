"""Judging a folder: the same bytes each time, foreign formats, clear errors, text for people."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import UsageError
from harness.ledger.judge import judge, read_verdict, write_verdict
from harness.ledger.render import render_verdict
from harness.ledger.witness import open_witness, write_witness

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .worlds import World


def accuse(world: World) -> World:
    """Plant a duplicate effect and a loss."""
    world.effects.append(world.row("effects", 1))
    world.drop("log", 2)
    return world


def test_judging_twice_gives_the_same_bytes(world: World, tmp_path: Path) -> None:
    """Here, again, and in a copy of the folder elsewhere."""
    folder = accuse(world).write(tmp_path / "run")
    first = write_verdict(folder, judge(folder)).read_bytes()
    second = write_verdict(folder, judge(folder)).read_bytes()
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert first == second == write_verdict(copy, judge(copy)).read_bytes()


def test_a_verdict_survives_its_file(world: World, tmp_path: Path) -> None:
    """What was written is what is read."""
    folder = accuse(world).write(tmp_path)
    verdict = judge(folder)
    write_verdict(folder, verdict)
    assert read_verdict(folder) == verdict


def test_findings_can_be_asked_for_by_kind_and_hop(world: World, tmp_path: Path) -> None:
    """Listed ones and their true number."""
    verdict = judge(accuse(world).write(tmp_path))
    assert [f.message_id for f in verdict.findings_of("lost", "acked-not-in-log")] == [2]
    assert verdict.findings_of("lost", "no-effect") == ()
    assert (verdict.total_of("lost"), verdict.total_of("duplicate-effect")) == (1, 1)


@pytest.mark.parametrize(
    "name",
    [str, lambda n: f"m{n}", lambda n: n * 10**15, lambda n: n * 10**18, lambda n: n + 2**63 - 6],
)
def test_ids_of_every_sort_are_judged_alike(
    make_world: Callable[..., World], tmp_path: Path, name: Callable[[int], int | str]
) -> None:
    """Numbers in text, words, and integers far apart."""
    verdict = judge(accuse(make_world(name=name)).write(tmp_path))
    assert [f.message_id for f in verdict.findings] == [name(2), name(1)]


def foreign(table: pa.Table) -> pa.Table:
    """Return a table as another tool may write it."""
    changed = {
        "message_id": lambda c: c.cast(pa.int32()).dictionary_encode(),
        "payload_sha256": lambda c: c.cast(pa.large_binary()),
        "topic": lambda c: c.cast(pa.large_string()),
        "key": lambda c: c.cast(pa.binary()),
        "consumer": lambda c: c.dictionary_encode(),
        "offset": lambda c: c.cast(pa.uint32()),
    }
    for position, column in enumerate(table.column_names):
        if column in changed:
            table = table.set_column(position, column, changed[column](table[column]))
    return table.append_column("something_else", pa.nulls(table.num_rows, pa.float64()))


def test_a_foreign_run_folder_is_judged_alike(world: World, tmp_path: Path) -> None:
    """Other widths, dictionaries, large types and unknown columns change nothing."""
    ours = judge(accuse(world).write(tmp_path))
    for path in (tmp_path / "witness").iterdir():
        pq.write_table(foreign(pq.read_table(path)), path, compression="gzip")
    theirs = judge(tmp_path)
    assert theirs.totals == ours.totals
    assert [f.message_id for f in theirs.findings] == [2, 1]


@pytest.mark.parametrize("base", [0, 10**17, 10**18 - 3, 10**18, 2**63 - 6, -(2**63)])
def test_string_ids_in_the_log_meet_integer_ids_of_the_table(
    make_world: Callable[..., World], tmp_path: Path, base: int
) -> None:
    """A header carries the id as text; the database has it as a number, a snowflake perhaps."""
    world = make_world(name=lambda n: base + n)
    world.write(tmp_path)
    log = world.table("log")
    write_witness(tmp_path, "log", log.set_column(3, "message_id", log[3].cast(pa.string())))
    assert judge(tmp_path).outcome == "PASSED"


def test_physical_topic_names_are_the_logical_ones(world: World, tmp_path: Path) -> None:
    """The intents name the physical topic, the log the logical one."""
    for row in world.intents:
        row["topic"] = "a-run-17"
    environment = {"topics": {"a": "a-run-17"}, "pipeline": {"order": "per-key"}}
    assert judge(world.write(tmp_path, environment=environment)).outcome == "PASSED"


def test_order_is_only_asked_of_who_promised_it(world: World, tmp_path: Path) -> None:
    """The promise stands in environment.json."""
    world.row("log", 2)["offset"], world.row("log", 4)["offset"] = 2, 1
    strict, loose = (
        judge(
            world.write(tmp_path / order, environment={"topics": {}, "pipeline": {"order": order}})
        )
        for order in ("per-key", "none")
    )
    assert (strict.outcome, loose.outcome) == ("FAILED", "PASSED")


@pytest.mark.parametrize(
    ("witness", "column", "values", "words"),
    [
        ("intents", "message_id", pa.array([1.5]), "column `message_id` is double"),
        ("log", "payload_sha256", pa.array(["00"]), "column `payload_sha256` is string"),
        ("effects", "payload_sha256", pa.array([b"short"]), "`payload_sha256` holds a value"),
        ("sent", "id", pa.array([1]), "no column `message_id`"),
    ],
)
def test_a_column_of_a_wrong_type_is_named(
    world: World, tmp_path: Path, witness: str, column: str, values: pa.Array, words: str
) -> None:
    """One clear error with file and column."""
    ids = {} if column in ("message_id", "id") else {"message_id": pa.array([1])}
    world.write(tmp_path)
    pq.write_table(pa.table({**ids, column: values}), tmp_path / "witness" / f"{witness}.parquet")
    with pytest.raises(UsageError, match=words) as caught:
        judge(tmp_path)
    assert f"{witness}.parquet" in str(caught.value)


def test_an_outcome_with_a_typo_is_an_error(world: World, tmp_path: Path) -> None:
    """It must not be taken for anything."""
    world.row("intents", 0)["outcome"] = "comitted"
    with pytest.raises(UsageError, match="comitted"):
        judge(world.write(tmp_path))


def test_intents_that_repeat_an_id_are_unknown(world: World, tmp_path: Path) -> None:
    """Which of the two arrived, nobody could say."""
    world.intents.append(world.row("intents", 3))
    assert judge(world.write(tmp_path)).outcome == "UNKNOWN"


def test_a_folder_that_is_no_run_is_an_error(tmp_path: Path) -> None:
    """It says what a run folder has."""
    with pytest.raises(UsageError, match="no run folder"):
        judge(tmp_path)


@pytest.mark.parametrize("name", ["schedule.json", "environment.json"])
def test_a_torn_promise_is_an_error(world: World, tmp_path: Path, name: str) -> None:
    """Without it faults would be forgotten, or the order that was promised."""
    path = world.write(tmp_path) / name
    path.write_text(path.read_text()[:-1])
    with pytest.raises(UsageError, match=name):
        judge(tmp_path)


def test_a_written_witness_is_whole_or_absent(world: World, tmp_path: Path) -> None:
    """A source that breaks off leaves no file that looks complete."""

    def breaking() -> object:
        yield world.table("log")
        raise OSError("the broker is gone")

    with pytest.raises(OSError, match="gone"):
        write_witness(tmp_path, "log", breaking())
    assert open_witness(tmp_path, "log") is None


def test_many_small_batches_become_few_row_groups(world: World, tmp_path: Path) -> None:
    """A slow scan hands out single records."""
    batches = world.table("log").to_batches(max_chunksize=1)
    path = write_witness(tmp_path, "log", batches)
    assert (pq.ParquetFile(path).num_row_groups, pq.read_table(path).num_rows) == (1, 6)


def test_the_text_begins_with_the_outcome_and_names_the_accused(
    world: World, tmp_path: Path
) -> None:
    """Outcome, reasons, findings with rows, figures, what was not checked; within the width."""
    text = render_verdict(judge(accuse(world).write(tmp_path)), width=80)
    assert text.startswith("FAILED: ")
    for words in ("message 2 was acknowledged, but the log lacks it", "effects: consumer=c",
                  "not checked", "messages committed: 6"):  # fmt: skip
        assert words in text
    assert max(len(line) for line in text.splitlines()) <= 80


def test_a_verdict_says_what_it_was_played_on(world: World, tmp_path: Path) -> None:
    """The lab's backend, profile and release, as far as the folder names them; nothing else."""
    lab = {
        "backend": "docker",
        "profile": "production",
        "kafka": "3.9.1",
        "features": "",
        "boot_s": 3.1,
    }
    said = judge(world.write(tmp_path, environment={"topics": {"a": "a"}, "lab": lab}))
    assert said.conditions == {"backend": "docker", "profile": "production", "kafka": "3.9.1"}
    assert "played on\n  backend: docker\n  profile: production\n  kafka: 3.9.1" in render_verdict(
        said
    )
