"""Which tasks are shown."""

from __future__ import annotations

from kubecal_tasks.framework.registry import all_tasks
from tests.contact_sheet.__main__ import FAMILIES

WITHOUT_FIGURES = {
    "Check2QGateCoherenceLimit",
    "Configure",
    "ConfigureAll",
    "LinkUp",
    "CheckStatus",
    "DumpBox",
    "ReadoutConfigure",
}


def test_every_task_that_draws_is_on_one_sheet() -> None:
    shown = [task for tasks in FAMILIES.values() for task in tasks]
    assert len(shown) == len(set(shown))
    assert set(shown) == set(all_tasks()) - WITHOUT_FIGURES
