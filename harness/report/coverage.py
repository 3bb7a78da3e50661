"""What was met and what was not: the coverage grid with its empty cells, the crash points. PURE."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from harness.campaign.shapes import shape_of
from harness.pipeline.spec import PipelineFile, Spec
from harness.report.facts import RunFacts, Setting
from harness.report.tables import Coverage, CoverageCell, PointRow
from harness.schedule.coverage import Met, grid, plane, possible, tag
from harness.schedule.dice import from_seed
from harness.schedule.item import Item
from harness.schedule.menu import items
from harness.schedule.moments import AtPoint
from harness.schedule.shape import PipelineShape
from harness.schedule.targets import Instance, Role
from harness.schedule.values import Budget, Fault

Point = tuple[str, str]
_FILE = TypeAdapter(PipelineFile)


def coverage(runs: Sequence[RunFacts]) -> Coverage:
    """Return every cell that was played or that the menu of these pipelines holds."""
    shapes = list(_shapes(runs))
    menu = [item for shape, budget in shapes for item in items(shape, budget=budget)]
    played = [
        (run.schedule, [Met(bit=fault.bit) for fault in run.faults])
        for run in runs
        if run.schedule is not None
    ]
    planes = _planes(fault for schedule, _ in played for fault in schedule.faults)
    planes = _planes(_made(menu)) | planes
    return Coverage(
        cells=tuple(
            CoverageCell(
                fault=cell.fault,
                target=cell.target,
                phase=cell.phase,
                plane=planes.get((cell.fault, cell.target), ""),
                scheduled=cell.scheduled,
                bit=cell.bit,
            )
            for cell in grid(played, possible=possible(menu)).cells
        ),
        points=_points(runs, {shape.name: shape for shape, _ in shapes}.values()),
    )


def _shapes(runs: Sequence[RunFacts]) -> Iterable[tuple[PipelineShape, Budget]]:
    """Yield what faults could be aimed at, for each pipeline and budget that was played."""
    asked = {(id(run.setting), run.schedule.budget): run.setting for run in runs if run.schedule}
    for (_, budget), setting in asked.items():
        shape = _shape(setting)
        if shape is not None:
            yield shape, budget


def _shape(setting: Setting) -> PipelineShape | None:
    """Return the shape of a pipeline as its run described it; None for one of another format."""
    try:
        file = _FILE.validate_json(json.dumps(setting.document))
    except ValidationError:
        return None
    return shape_of(Spec(path=Path(setting.pipeline), file=file, document=setting.document))


def _made(menu: Iterable[Item]) -> Iterable[Fault]:
    return (item.make(from_seed(0)) for item in menu)


def _planes(faults: Iterable[Fault]) -> dict[tuple[str, str], str]:
    return {tag(fault): plane(fault) for fault in faults}


def _points(runs: Sequence[RunFacts], shapes: Iterable[PipelineShape]) -> tuple[PointRow, ...]:
    scheduled: Counter[Point] = Counter()
    hit: Counter[Point] = Counter()
    for run in runs:
        for place, fault in enumerate(run.schedule.faults if run.schedule else ()):
            target = getattr(fault, "target", None)
            if isinstance(fault.trigger, AtPoint) and isinstance(target, Instance | Role):
                point = target.role, fault.trigger.point
                scheduled[point] += 1
                hit[point] += place < len(run.faults) and run.faults[place].bit
    known = [
        (role, point) for shape in shapes for role, named in shape.points.items() for point in named
    ]
    return tuple(
        PointRow(role=role, point=point, scheduled=scheduled[role, point], hit=hit[role, point])
        for role, point in dict.fromkeys([*known, *sorted(scheduled)])
    )
