"""Reads what a run was played on out of its `environment.json`, each different setting once.

A night's runs share a few settings, so equal ones are one object.
"""

import json
from collections.abc import Mapping

from harness.ledger.judge import conditions_of
from harness.report.facts import LinkName, Setting, VariantSaid
from harness.report.timeline_facts import link_name

_OF_ONE_NODE = frozenset({"node.id", "broker.rack", "log.dirs"})


class Settings:
    """Every setting that was met so far."""

    def __init__(self) -> None:
        self._known: dict[str, Setting] = {}

    def read(self, environment: Mapping[str, object], *, pipeline: str) -> Setting:
        """Return the setting that an environment tells of."""
        lab = _table(environment, "lab")
        said = _table(environment, "pipeline")
        roles = tuple(sorted(roles_of_slots(environment).items()))
        parts = (
            pipeline,
            environment.get("variant"),
            conditions_of(environment),
            _versions(environment),
            said.get("document"),
            _shared(lab.get("nodes")),
            roles,
        )
        key = json.dumps(parts, sort_keys=True, default=str)
        if key not in self._known:
            self._known[key] = Setting(
                pipeline=pipeline,
                variant=variant_said(environment.get("variant")),
                conditions=conditions_of(environment),
                versions=_versions(environment),
                document=_table(said, "document"),
                nodes=_shared(lab.get("nodes")),
                links=_links(lab, dict(roles)),
            )
        return self._known[key]


def roles_of_slots(environment: Mapping[str, object]) -> dict[int, str]:
    """Return which role held each client slot."""
    slots = _table(environment, "slots")
    return {
        slot: who.rpartition("-")[0] or who for who, slot in slots.items() if isinstance(slot, int)
    }


def variant_said(value: object) -> VariantSaid | None:
    """Read the variant that an environment names; None where there is none."""
    if not isinstance(value, Mapping) or not value.get("name"):
        return None
    expects = _table(value, "expects")
    hop = expects.get("hop")
    return VariantSaid(
        name=str(value["name"]),
        row=str(value.get("row", "")),
        safe=bool(value.get("safe", not expects)),
        why=str(value.get("why", "")),
        reference=str(value.get("reference", "")),
        expects=(str(expects["finding"]), None if hop is None else str(hop))
        if expects.get("finding")
        else None,
    )


def _versions(environment: Mapping[str, object]) -> dict[str, str]:
    """Return the versions of the parts, without the places where they lie on one machine."""
    lab = _table(environment, "lab")
    versions = {"harness": str(environment["harness"])} if environment.get("harness") else {}
    versions |= {
        str(part): str(version).partition(":")[0] + (")" if ":" in str(version) else "")
        for part, version in _table(lab, "versions").items()
        if "/" not in str(version).partition(":")[0]
    }
    if lab.get("backend"):
        versions["backend"] = str(lab["backend"])
    return versions


def _shared(nodes: object) -> dict[str, str]:
    """Return the settings that are equal on every node."""
    tables = (
        [each for each in nodes.values() if isinstance(each, Mapping)]
        if isinstance(nodes, Mapping)
        else []
    )
    if not tables:
        return {}
    first, *others = tables
    return {
        str(name): str(value)
        for name, value in first.items()
        if name not in _OF_ONE_NODE and all(other.get(name) == value for other in others)
    }


def _links(lab: Mapping[str, object], roles: Mapping[int, str]) -> frozenset[LinkName]:
    named = (link_name(str(link), roles) for link in _table(lab, "links"))
    return frozenset(name for name in named if name is not None)


def _table(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = values.get(name)
    return value if isinstance(value, Mapping) else {}
