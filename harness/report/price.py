"""Reads the price of safety, which a benchmark measured and wrote as JSON."""

from pathlib import Path

from pydantic import TypeAdapter

from harness import strict
from harness.errors import UsageError
from harness.report.tables import Price

_PRICE = TypeAdapter(Price)


def read_price(file: Path) -> Price:
    """Read the file; UsageError that names it and what is wrong with it."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"The price of safety {file} cannot be read: {error.strerror}",
            remedy="name the file that the benchmark wrote",
        ) from error
    return strict.decode(_PRICE, None, source=str(file), json=text)


def write_price(price: Price, file: Path) -> None:
    """Write it as indented JSON."""
    file.write_bytes(_PRICE.dump_json(price, indent=2) + b"\n")
