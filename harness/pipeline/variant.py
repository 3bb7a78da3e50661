"""Variants: named overrides of a pipeline, each a claim about one row of the guarantee.

They are data: a file each under `variants/`, or a table of a pipeline.toml. An override has the
shape of a pipeline.toml, is merged into it, and the result is checked like any other file; under
`topics` and `roles` the name `*` means each one there is.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UsageError
from harness.pipeline.loader import check_pipeline, checked, read_toml
from harness.pipeline.spec import (
    Expectation,
    InlineVariant,
    Needs,
    ShownBy,
    Spec,
    VariantFile,
)

FOLDER = Path(__file__).parent / "variants"
EVERY = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A named set of overrides; unsafe ones say which accusation they must lead to."""

    name: str
    row: str
    """The row of the guarantee that it belongs to, e.g. `acks`."""
    safe: bool
    why: str
    reference: str
    entry: str
    """Its number in the catalogue of public reports, e.g. `K35`, or nothing."""
    expects: Expectation | None
    override: Mapping[str, Any]
    needs: Needs
    """What it must have of its lab."""
    shown_by: ShownBy | None
    """What `harness run --variant NAME` plays; None: what it plays without a variant."""
    tried: str
    """Where it could not be provoked: what was tried, and why nothing came of it."""
    source: str
    """The file that it stands in."""


def load_variant(name: str, *, spec: Spec | None = None) -> Variant:
    """Return a variant of the pipeline itself, or else of the catalogue."""
    known = {variant.name: variant for variant in list_variants(spec=spec)}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise UsageError(
        f"There is no variant {name!r}{hint}", remedy=f"one of: {', '.join(sorted(known))}"
    )


def list_variants(*, spec: Spec | None = None) -> tuple[Variant, ...]:
    """Return the catalogue by row, the safe ones first, and after it the pipeline's own.

    A pipeline's own variant takes the place of one of the same name in the catalogue.
    """
    own = () if spec is None else tuple(_own(spec))
    taken = {variant.name for variant in own}
    catalogue = [_read(path) for path in sorted(FOLDER.glob("*.toml"))]
    ordered = sorted(catalogue, key=lambda one: (not one.safe, one.row, one.name))
    return (*(one for one in ordered if one.name not in taken), *own)


def apply(spec: Spec, variant: Variant) -> Spec:
    """Return `spec` with the overrides of `variant` in force, checked again as a whole."""
    source = f"{spec.path} with variant {variant.name}"
    override = dict(variant.override)
    for table in ("topics", "roles"):
        if table in override:
            there = list(getattr(spec, table))
            override[table] = _spread(override[table], there, table=table, source=variant.source)
    document = _merged(spec.document, override)
    return check_pipeline(document, path=spec.path, source=source, variant=variant.name)


def _spread(
    override: Mapping[str, Any], there: list[str], *, table: str, source: str
) -> dict[str, Any]:
    """Write `*` out for every name, and refuse a name that the pipeline does not have."""
    for name in override:
        if name != EVERY and name not in there:
            raise UsageError(
                f"{source}: it overrides {table}.{name}, and this pipeline has none such",
                remedy=f"its {table} are: {', '.join(there) or 'none'}",
            )
    common = override.get(EVERY, {})
    spread = {name: _merged(common, override.get(name, {})) for name in there}
    return {name: value for name, value in spread.items() if value}


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return both tables as one; where both have a value, `over` has it its way."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        both_tables = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = _merged(below, value) if both_tables else value  # type: ignore[arg-type]
    return result


def _read(path: Path) -> Variant:
    file = checked(VariantFile, read_toml(path), source=str(path))
    if file.name != path.stem:
        raise UsageError(f"{path}: it calls itself {file.name}; name and file name must agree")
    return _variant(file, name=file.name, source=str(path))


def _own(spec: Spec) -> list[Variant]:
    return [
        _variant(inline, name=name, source=f"{spec.path} [variants.{name}]")
        for name, inline in spec.file.variants.items()
    ]


def _variant(file: VariantFile | InlineVariant, *, name: str, source: str) -> Variant:
    if file.safe is (file.expects is not None):
        raise UsageError(
            f"{source}: `expects` says what an unsafe variant leads to; it is "
            + ("not for a safe one" if file.safe else "missing")
        )
    if file.safe and file.tried:
        raise UsageError(f"{source}: `tried` is for an unsafe variant that was not provoked")
    return Variant(
        name=name,
        row=file.row,
        safe=file.safe,
        why=file.why,
        reference=file.reference,
        entry=file.entry,
        expects=file.expects,
        override=file.override,
        needs=file.needs,
        shown_by=file.shown_by,
        tried=file.tried,
        source=source,
    )
