"""How fast the checker judges, against the same check as SQL joins in DuckDB, in one run.

    python benchmarks/checker.py --messages 20000000 [--ids dense|sparse|string] [--no-duckdb]

Writes witness files of N messages into a temporary folder (about 140 bytes a message on disk), a
handful of known defects among them; judges them with the checker and with DuckDB (threads=1), each
in a process of its own held to one core; compares: both must find exactly what was planted. Rows
count over all witnesses: intents, sent, log and effects. The bar, for dense ids: 5 million rows a
second on one core and below 150 bytes of peak memory a message.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from harness.ledger.checker import check
from harness.ledger.evidence import Facts, Witnesses
from harness.ledger.witness import ParquetWitness, open_witness, write_witness

CHUNK = 1 << 20
PARTITIONS = 6
KEYS = 10_000
CONSUMER, TOPIC = "billing", "orders"
BAR_ROWS_PER_S, BAR_BYTES = 5e6, 150
PLANTED = {
    "lost:acked-not-in-log": 3,
    "lost:never-published": 1,
    "lost:no-effect": 2,
    "duplicate-effect": 2,
    "phantom:log": 1,
    "phantom:effect": 1,
    "corrupt:log": 1,
    "corrupt:effect": 1,
    "reordered": 1,
}


# --- test data ---------------------------------------------------------------------------------


def ids_of(numbers: np.ndarray, kind: str) -> pa.Array:
    """Return the message ids of message numbers, as the chosen sort of id."""
    if kind == "dense":
        return pa.array(numbers + 1)
    scattered = (numbers.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    if kind == "sparse":
        return pa.array(scattered.view(np.int64))
    digits = pc.cast(pa.array(scattered), pa.string())
    return pc.binary_join_element_wise("msg", pc.utf8_lpad(digits, 20, "0"), "-")


def hashes_of(numbers: np.ndarray, *, wrong: int = -1) -> pa.Array:
    """Return 32 bytes a message that look random, other ones for the message `wrong`."""
    words = np.empty((len(numbers), 4), dtype=np.uint64)
    base = numbers.astype(np.uint64) + np.uint64(1)
    for column, factor in enumerate((0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)):
        mixed = base * np.uint64(factor)
        words[:, column] = mixed ^ (mixed >> np.uint64(31))
        words[:, column + 2] = words[:, column] * np.uint64(0xFF51AFD7ED558CCD)
    words[numbers == wrong] += np.uint64(1)
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(32), len(numbers), [None, pa.py_buffer(words)]
    )


def chunks(total: int) -> Iterator[np.ndarray]:
    """Yield 0..total-1 in pieces."""
    for first in range(0, total, CHUNK):
        yield np.arange(first, min(total, first + CHUNK))


class Defects:
    """Which messages are made wrong, spread over the whole range."""

    def __init__(self, total: int) -> None:
        spots = np.linspace(total * 0.05, total * 0.95, 12).astype(int).tolist()
        self.lost_acked, self.unpublished = spots[:3], spots[3]
        self.no_effect, self.doubled = spots[4:6], spots[6:8]
        self.corrupt_log, self.corrupt_effect = spots[8], spots[9]
        self.late = spots[10]
        self.phantom_log, self.phantom_effect = total + 7, total + 8


def partition_of(numbers: np.ndarray) -> np.ndarray:
    """Return each message's partition: that of its key."""
    return (numbers % KEYS) % PARTITIONS


def log_numbers(total: int, partition: int, defects: Defects) -> np.ndarray:
    """Return the message numbers of one partition in offset order, defects included."""
    numbers = np.arange(total)
    numbers = numbers[partition_of(numbers) == partition]
    gone = [*defects.lost_acked, defects.unpublished]
    numbers = numbers[~np.isin(numbers, gone)]
    at = np.flatnonzero(numbers == defects.late)
    if len(at):  # behind the next message of its key
        numbers = np.insert(np.delete(numbers, at), at[0] + KEYS, defects.late)
    return np.append(numbers, defects.phantom_log) if partition == 0 else numbers


def generate(folder: Path, total: int, kind: str) -> None:
    """Write the four witnesses and the offsets."""
    defects = Defects(total)
    write_witness(folder, "intents", (_intents(n, kind) for n in chunks(total)))
    sent = (n[n != defects.unpublished] for n in chunks(total))
    write_witness(folder, "sent", (_table(message_id=ids_of(n, kind)) for n in sent))
    write_witness(folder, "log", _log(total, kind, defects))
    write_witness(folder, "effects", _effects(total, kind, defects))
    ends = [len(log_numbers(total, p, defects)) for p in range(PARTITIONS)]
    offsets = {
        "group": ["g"] * PARTITIONS,
        "topic": [TOPIC] * PARTITIONS,
        "partition": list(range(PARTITIONS)),
        "committed": ends,
        "begin": [0] * PARTITIONS,
        "end": ends,
    }
    write_witness(folder, "offsets", pa.table(offsets))


def _table(**columns: object) -> pa.Table:
    return pa.table(columns)


def _constant(word: str, count: int) -> pa.Array:
    zeros = pa.array(np.zeros(count, dtype=np.int32))
    return pa.DictionaryArray.from_arrays(zeros, [word]).dictionary_decode()


def _intents(numbers: np.ndarray, kind: str) -> pa.Table:
    keys = pc.binary_join_element_wise("key", pc.cast(pa.array(numbers % KEYS), pa.string()), "-")
    return _table(
        message_id=ids_of(numbers, kind),
        topic=_constant(TOPIC, len(numbers)),
        key=keys,
        sequence=pa.array(numbers // KEYS),
        payload_sha256=hashes_of(numbers),
    )


def _log(total: int, kind: str, defects: Defects) -> Iterator[pa.Table]:
    for partition in range(PARTITIONS):
        numbers = log_numbers(total, partition, defects)
        for first in range(0, len(numbers), CHUNK):
            some = numbers[first : first + CHUNK]
            yield _table(
                topic=_constant(TOPIC, len(some)),
                partition=pa.array(np.full(len(some), partition, dtype=np.int32)),
                offset=pa.array(np.arange(first, first + len(some))),
                timestamp_ms=pa.array(1_764_000_000_000 + some // 100),
                message_id=ids_of(some, kind),
                payload_sha256=hashes_of(some, wrong=defects.corrupt_log),
            )


def _effects(total: int, kind: str, defects: Defects) -> Iterator[pa.Table]:
    gone = [*defects.lost_acked, defects.unpublished, *defects.no_effect]
    for numbers in chunks(total):
        kept = numbers[~np.isin(numbers, gone)]
        again = kept[np.isin(kept, defects.doubled)]
        last = [defects.phantom_effect] if numbers[-1] == total - 1 else []
        some = np.concatenate([kept, again, last]).astype(np.int64)
        yield _table(
            message_id=ids_of(some, kind),
            consumer=_constant(CONSUMER, len(some)),
            payload_sha256=hashes_of(some, wrong=defects.corrupt_effect),
        )


# --- the two judges ----------------------------------------------------------------------------


def judge_with_checker(folder: Path) -> dict[str, int]:
    """Return the totals that the checker finds."""
    opened = Witnesses(
        intents=_witness(folder, "intents"),
        log=_witness(folder, "log"),
        effects=_witness(folder, "effects"),
        sent=open_witness(folder, "sent"),
        offsets=open_witness(folder, "offsets"),
    )
    checked = check(opened, facts=Facts(drained=True, order_promised=True))
    return {f"{t.kind}:{t.hop}" if t.hop else str(t.kind): t.count for t in checked.totals}


def _witness(folder: Path, name: str) -> ParquetWitness:
    found = open_witness(folder, name)
    if found is None:
        raise FileNotFoundError(folder / name)
    return found


QUERIES = {
    "lost:acked-not-in-log": """SELECT count(*) FROM intents i SEMI JOIN sent s USING (message_id)
        ANTI JOIN log l USING (message_id)""",
    "lost:never-published": """SELECT count(*) FROM intents i ANTI JOIN sent s USING (message_id)
        ANTI JOIN log l USING (message_id)""",
    "lost:no-effect": """SELECT count(DISTINCT i.message_id) FROM
        (SELECT * FROM intents ANTI JOIN effects USING (message_id)) i
        JOIN log l USING (message_id)
        JOIN offsets o ON o.topic = l.topic AND o.partition = l.partition
        WHERE o.committed > l."offset" """,
    "duplicate-effect": """SELECT count(*) FROM (SELECT e.message_id FROM effects e
        SEMI JOIN intents i USING (message_id)
        GROUP BY e.message_id, e.consumer HAVING count(*) > 1)""",
    "phantom:log": """SELECT count(DISTINCT l.message_id)
        FROM log l ANTI JOIN intents i USING (message_id)""",
    "phantom:effect": """SELECT count(DISTINCT e.message_id)
        FROM effects e ANTI JOIN intents i USING (message_id)""",
    "corrupt:log": """SELECT count(DISTINCT l.message_id) FROM log l
        JOIN intents i USING (message_id) WHERE l.payload_sha256 <> i.payload_sha256""",
    "corrupt:effect": """SELECT count(DISTINCT e.message_id) FROM effects e
        JOIN intents i USING (message_id) WHERE e.payload_sha256 <> i.payload_sha256""",
    "corrupt:topic": """SELECT count(DISTINCT l.message_id) FROM log l
        JOIN intents i USING (message_id) WHERE l.topic <> i.topic""",
    "reordered": """SELECT count(*) FROM (SELECT sequence, max(sequence) OVER
        (PARTITION BY topic, partition, key ORDER BY place) AS highest FROM
        (SELECT l.topic, l.partition, i.key, i.sequence, min(l."offset") AS place FROM log l
         JOIN intents i USING (message_id) GROUP BY ALL)) WHERE sequence < highest""",
}
"""The same questions in SQL. `reordered` looks at first occurrences, as the checker does."""


def judge_with_duckdb(folder: Path) -> dict[str, int]:
    """Return the totals that DuckDB finds on one thread."""
    import duckdb  # noqa: PLC0415 - only this process may pay for it

    connection = duckdb.connect(config={"threads": 1, "memory_limit": "10GB"})
    connection.execute(f"SET temp_directory='{folder}/spill'")
    for name in ("intents", "sent", "log", "effects", "offsets"):
        file = str(folder / "witness" / f"{name}.parquet")
        connection.read_parquet(file).create_view(name)
    found = {}
    for name, query in QUERIES.items():
        row = connection.execute(query).fetchone()
        found[name] = int(row[0]) if row else 0
    return {name: count for name, count in found.items() if count}


def measure(judge: str, folder: Path) -> None:
    """In a process of its own: judge, and print seconds, memory above the imports, and totals."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    judges = {"checker": judge_with_checker, "duckdb": judge_with_duckdb}
    found = judges[judge](folder)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps({"wall_s": wall, "cpu_s": cpu, "rss": after.ru_maxrss * 1024, "found": found}))


# --- the comparison ----------------------------------------------------------------------------


def run(judge: str, folder: Path) -> dict[str, object]:
    """Measure one judge in a fresh process."""
    argv = [sys.executable, __file__, "--judge", judge, "--folder", str(folder)]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def compare(total: int, kind: str, *, duckdb: bool) -> bool:
    """Generate, judge with both, print; return whether both found exactly what was planted."""
    with tempfile.TemporaryDirectory(prefix="ledger-bench-") as place:
        folder = Path(place)
        began = time.perf_counter()
        generate(folder, total, kind)
        files = list((folder / "witness").iterdir())
        names = ("intents", "sent", "log", "effects")
        rows = sum(w.rows for n in names if (w := open_witness(folder, n)) is not None)
        print(
            f"{kind} ids: {total:,} messages, {rows:,} rows, "
            f"{sum(f.stat().st_size for f in files) / 1e9:.2f} GB on disk, "
            f"written in {time.perf_counter() - began:.0f} s"
        )
        good = True
        for judge in ("checker", "duckdb") if duckdb else ("checker",):
            good &= _report(judge, run(judge, folder), rows=rows, total=total)
    return good


def _report(judge: str, answer: dict[str, object], *, rows: int, total: int) -> bool:
    wall, cpu, rss = (float(str(answer[name])) for name in ("wall_s", "cpu_s", "rss"))
    exact = answer["found"] == PLANTED
    words = "found exactly what was planted" if exact else f"WRONG: {answer['found']}"
    print(
        f"  {judge:8} {wall:7.2f} s wall, {cpu:7.2f} s CPU, "
        f"{rows / wall / 1e6:.2f} M rows/s of wall, {rows / cpu / 1e6:.2f} of CPU, "
        f"peak {rss / 1e6:,.0f} MB = {rss / total:,.0f} bytes/message, "
        f"{words}"
    )
    return exact


def main() -> int:
    """Run the comparison; exit 1 if a judge is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2_000_000)
    parser.add_argument("--ids", choices=("dense", "sparse", "string"), action="append")
    parser.add_argument("--no-duckdb", action="store_true")
    parser.add_argument("--judge", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.judge:
        measure(options.judge, options.folder)
        return 0
    print(f"bar (dense ids): {BAR_ROWS_PER_S / 1e6:g} M rows/s, < {BAR_BYTES} bytes/message")
    kinds = options.ids or ["dense", "sparse", "string"]
    verdicts = [compare(options.messages, k, duckdb=not options.no_duckdb) for k in kinds]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    raise SystemExit(main())
