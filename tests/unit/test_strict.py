"""A wrong file gets one error that names the place and the nearest key that exists there."""

import json

import pytest

from harness.errors import UsageError
from harness.schedule.codec import from_json


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"faultz": []}, "did you mean `faults`?"),
        ({"workload": {"rate_pers": 1}}, "did you mean `rate_per_s`?"),
        ({"faults": [{"kind": "kill", "targt": 1}]}, "did you mean `target`?"),
        (
            {"faults": [{"kind": "cut", "target": {"kind": "node", "numbr": 1}}]},
            "did you mean `number`?",
        ),
    ],
)
def test_the_nearest_key_is_one_that_exists_at_that_place(
    document: dict[str, object], said: str
) -> None:
    """Keys of other places, however near by their letters, are not proposed."""
    with pytest.raises(UsageError) as caught:
        from_json(json.dumps({"pipeline": "outbox", **document}), source="night.json")
    assert said in str(caught.value)
