"""Which attempt stands for a task."""

from kubecal.reading.attempts import last_attempts
from tests.unit.kubecal.report.builders import a_failure, a_result


def test_the_last_attempt_stands_for_its_task() -> None:
    first, second = a_failure("CheckT1", attempt=1), a_result("CheckT1", attempt=2)
    assert last_attempts([second, first]) == [second]


def test_repeated_tasks_and_tasks_of_other_steps_stand_for_themselves() -> None:
    results = [a_result(), a_result(ordinal=1), a_result(step="fine")]
    assert last_attempts(results) == results


def test_each_qubit_of_a_mux_stands_for_itself() -> None:
    first = [a_failure("CheckResonatorSpectroscopy", qid, target="mux-0") for qid in ("0", "1")]
    again = a_result("CheckResonatorSpectroscopy", "1", target="mux-0", attempt=2)
    assert last_attempts([*first, again]) == [first[0], again]
