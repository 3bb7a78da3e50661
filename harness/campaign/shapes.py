"""What a generator is told of a pipeline, read from its specification."""

from harness.pipeline.spec import Spec
from harness.run.plan import called
from harness.schedule.shape import PipelineShape


def shape_of(spec: Spec) -> PipelineShape:
    """Return what faults of this pipeline can be aimed at: roles that run, topics, crash points."""
    roles = {name: role for name, role in spec.roles.items() if role.instances}
    return PipelineShape(
        name=called(spec),
        variant=spec.variant,
        topics={name: topic.partitions for name, topic in spec.topics.items()},
        roles={name: role.instances for name, role in roles.items()},
        points={name: role.crash_points for name, role in roles.items() if role.crash_points},
        speaks={name: frozenset(role.uses) for name, role in roles.items()},
        load=frozenset(name for name in roles if spec.kind(name) == "load"),
    )
