"""Plain programs and notebooks: the same session, waited for."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import nullcontext
from typing import Any

import pytest

from kubecal.api.session_status import Phase
from kubecal.lab.lab import Change, StandingSession
from kubecal.service import interrupts
from kubecal.service.calib_service import CalibService
from kubecal.service.config import CalibConfig
from kubecal.service.errors import Cancelled, ServiceError, SessionOverError, TaskFailed
from kubecal.service.orchestrator import CalibOrchestrator
from kubecal.service.steps import CustomOneQubit
from kubecal.service.targets import QubitTargets
from tests.unit.kubecal.service.lab import MemoryLab, Standing, place
from tests.unit.kubecal.service.script import FLAT, HANGS


def service(lab: MemoryLab, **said: Any) -> CalibService:
    return CalibService("alice", "4Q", **{"qids": ["0", "1"], "say": lambda _: None, "place": place(lab), **said})


def only(lab: MemoryLab) -> Standing:
    (standing,) = lab.standing.values()
    return standing


@pytest.fixture(autouse=True)
def sigterm_is_as_before() -> Any:
    before = signal.getsignal(signal.SIGTERM)
    yield
    assert signal.getsignal(signal.SIGTERM) is before
    assert interrupts.open_sessions() == ()


def test_an_orchestrator_goes_from_configuration_to_completion() -> None:
    lab = MemoryLab()
    config = CalibConfig(username="alice", chip_id="4Q", qids=["0"], execution_id="20240101-001", backend_name="fake")
    orchestrator = CalibOrchestrator(config, say=lambda _: None, place=place(lab))
    assert not orchestrator.is_initialized
    orchestrator.initialize()
    orchestrator.initialize()
    assert orchestrator.is_initialized
    assert signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, signal.SIG_IGN)
    result = orchestrator.run_task("CheckT1", qid="0", task_details={"CheckT1": {"run_parameters": {"shots": 64}}})
    assert result["t1"].value == 30.0
    orchestrator.complete()
    assert (orchestrator.execution_id, orchestrator.status.phase) == ("20240101-001", Phase.COMPLETED)
    assert only(lab).spec.steps[0].tasks[0].parameters == {"shots": 64}


def test_a_service_begins_where_qubits_are_named_and_else_with_run() -> None:
    lab = MemoryLab()
    cal = service(lab)
    assert len(lab.standing) == 1
    cal.finish_calibration()
    for unnamed in ({"qids": None}, {"skip_execution": True}):
        lab = MemoryLab()
        cal = service(lab, **unnamed)
        assert not lab.standing
        found = cal.run(QubitTargets(["0", "1"]), [CustomOneQubit(tasks=["CheckT1"])])
        assert found["candidate_qids"] == ["0", "1"]
        assert only(lab).phase is Phase.COMPLETED


def test_it_works_while_a_loop_runs_as_in_a_notebook() -> None:
    async def cell() -> float:
        with service(MemoryLab()) as cal:
            return float(cal.execute_task("CheckT1", "0")["t1"])

    assert asyncio.run(cell()) == 30.0


def test_a_context_ends_the_session_as_what_happened_in_it_says() -> None:
    for error, phase, message in (
        (None, Phase.COMPLETED, ""),
        (ValueError("warm"), Phase.FAILED, "ValueError: warm"),
        (KeyboardInterrupt(), Phase.CANCELLED, "the session was cancelled"),
        (Cancelled("SIGTERM was received"), Phase.CANCELLED, "the session was cancelled"),
    ):
        lab = MemoryLab()
        with pytest.raises(type(error)) if error is not None else nullcontext(), service(lab):
            if error is not None:
                raise error
        assert (only(lab).phase, only(lab).message) == (phase, message)


def test_sigterm_in_a_call_cancels_and_goes_on_as_cancelled() -> None:
    class Interrupting(MemoryLab):
        async def change(self, name: str, change: Change) -> StandingSession:
            standing = await super().change(name, change)
            if change.append_steps:
                os.kill(os.getpid(), signal.SIGTERM)
            return standing

    lab = Interrupting(script={"CheckT1": HANGS})
    cal = service(lab)
    with pytest.raises(Cancelled, match="SIGTERM was received"):
        cal.execute_task("CheckT1", "0")
    assert only(lab).phase is Phase.CANCELLED
    cal.cancel_calibration()


def test_an_interruption_while_it_waits_for_its_chip_leaves_nothing_in_the_queue() -> None:
    def hear(text: str) -> None:
        if "waits" in text:
            os.kill(os.getpid(), signal.SIGTERM)

    lab = MemoryLab(queued=True)
    with pytest.raises(Cancelled):
        service(lab, say=hear)
    assert (only(lab).phase, lab.opened) == (Phase.CANCELLED, 0)


def test_a_session_that_is_over_does_not_begin_again() -> None:
    orchestrator = CalibOrchestrator(CalibConfig("alice", "4Q", ["0"]), say=lambda _: None, place=place(MemoryLab()))
    orchestrator.initialize()
    orchestrator.fail("warm")
    with pytest.raises(SessionOverError, match="make another one to begin anew"):
        orchestrator.initialize()


def test_a_task_of_an_image_names_it() -> None:
    lab = MemoryLab()
    with service(lab) as cal:
        cal.execute_task("CheckT1", "0", image="mylab")
    assert only(lab).spec.steps[0].tasks[0].image == "mylab"


def test_a_failure_is_raised_or_returned() -> None:
    lab = MemoryLab(script={"CheckT1": FLAT})
    with service(lab) as cal:
        assert not cal.execute_task("CheckT1", "0", raise_on_failure=False).ok
        with pytest.raises(TaskFailed) as caught:
            cal.execute_task("CheckT1", "1")
        assert caught.value.result.figures


def test_parameters_stages_and_figures_are_at_hand() -> None:
    lab = MemoryLab()
    with service(lab) as cal:
        cal.set_parameter("0", "t1", 25.0)
        cal.record_stage_result("first", {"ok": True})
        result = cal.execute_task("CheckT1", "1")
    assert cal.get_parameter("0", "t1") == 25.0
    assert cal.get_stage_result("first") == {"ok": True}
    assert cal.figures(result) == result.figures
    assert repr(cal) == "<CalibService 20261123-000 on 4Q: Completed>"


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"use_lock": False}, "use_lock: every session holds its chip"),
        ({"enable_github": True}, "enable_github: parameters are kept in the records, not in GitHub"),
        ({"github_push_config": object()}, "github_push_config: parameters are kept"),
    ],
)
def test_what_there_is_not_is_refused_before_anything_begins(said: dict[str, Any], sentence: str) -> None:
    lab = MemoryLab()
    with pytest.raises(ServiceError, match=sentence):
        service(lab, **said)
    assert not lab.standing


def test_what_a_call_cannot_do_is_said() -> None:
    with service(MemoryLab()) as cal:
        with pytest.raises(ServiceError, match="upstream_id: every result knows the task before it"):
            cal.execute_task("CheckT1", "0", upstream_id="x")
        with pytest.raises(ServiceError, match="push_to_github: parameters are kept"):
            cal.finish_calibration(push_to_github=True)
        with pytest.raises(AttributeError, match="CalibService has no attribute 'task_context': what a task found is"):
            _ = cal.task_context
    with pytest.raises(ServiceError, match="the session has not begun"):
        service(MemoryLab(), qids=None).execute_task("CheckT1", "0")
    with pytest.raises(ServiceError, match=r"is over \(Completed\): begin another"):
        cal.execute_task("CheckT1", "0")
