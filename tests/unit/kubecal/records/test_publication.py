from datetime import timedelta

import pytest

from kubecal.records.publication import publishable
from kubecal.records.results import OutputRecord
from kubecal.records.store import Document
from tests.unit.kubecal.records.builders import NOON, output

OLD, NEW = {"calibrated_at": NOON - timedelta(hours=1)}, {"calibrated_at": NOON + timedelta(hours=1)}
SAME = {"calibrated_at": NOON}


@pytest.mark.parametrize(
    ("outputs", "there", "expected"),
    [
        pytest.param([output("t1")], {}, ["t1"], id="nothing is there"),
        pytest.param([output("t1")], {"t1": OLD}, ["t1"], id="what is there is older"),
        pytest.param([output("t1")], {"t1": SAME}, ["t1"], id="equal times: this one wins"),
        pytest.param([output("t1")], {"t1": NEW}, [], id="what is there is newer"),
        pytest.param([output("t1")], {"t1": {"calibrated_at": "2024-01-01"}}, ["t1"], id="a time nobody can compare"),
        pytest.param([output("t1", accepted=False)], {}, [], id="not accepted"),
        pytest.param([output("t1"), output("t2", accepted=False)], {}, ["t1"], id="each on its own"),
        pytest.param([output("a", group="g"), output("b", group="g")], {"a": OLD}, ["a", "b"], id="a whole group"),
        pytest.param([output("a", group="g"), output("b", group="g")], {"b": NEW}, [], id="one of a group is newer"),
        pytest.param(
            [output("a", group="g"), output("b", group="g", accepted=False), output("c")], {}, ["c"], id="half a group"
        ),
    ],
)
def test_only_accepted_values_replace_what_is_not_newer(
    outputs: list[OutputRecord], there: dict[str, Document], expected: list[str]
) -> None:
    assert [each.name for each in publishable(outputs, there, NOON)] == expected
