"""The files of a report: the page, and `report.json` with its JSON schema."""

import json
from pathlib import Path

from pydantic import TypeAdapter

from harness.errors import HarnessError
from harness.report.model import Report
from harness.report.page import render

_REPORT = TypeAdapter(Report)


def write(report: Report, html: Path) -> tuple[Path, ...]:
    """Write the page and, beside it under the same name, its data; return what was written.

    HarnessError if that place cannot be written. Each file is whole or is not there.
    """
    data = write_json(report, html.with_suffix(".json"))
    return (_write(html, render(report).encode()), data)


def write_json(report: Report, file: Path) -> Path:
    """Write a report as `report.json`, and return its path."""
    return _write(file, _REPORT.dump_json(report) + b"\n")


def read_json(file: Path) -> Report:
    """Read what `write_json` wrote; ValueError if it is something else."""
    return _REPORT.validate_json(file.read_bytes())


def schema() -> str:
    """Return the JSON schema of `report.json`: `docs/report.schema.json`."""
    described = _REPORT.json_schema(mode="serialization")
    described = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described}
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _write(file: Path, content: bytes) -> Path:
    part = file.with_name(f".{file.name}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        return part.replace(file)
    except OSError as error:
        raise HarnessError(
            f"The report {file} cannot be written: {error.strerror or error}",
            remedy="name another place with -o",
        ) from error
