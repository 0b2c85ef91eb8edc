"""Flows end what they have begun, and call whoever wants to know."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

import kubecal.workflow as workflow
from kubecal.service import interrupts
from kubecal.service.errors import Cancelled, ServiceError
from kubecal.workflow import FlowRun, State, flow, on_flow_cancellation, on_flow_failure


class Session:
    """A session that is open until it is left."""

    def __init__(self) -> None:
        self.left: list[BaseException | None] = []
        interrupts.begun(self)

    def leave(self, error: BaseException | None) -> None:
        self.left.append(error)
        interrupts.ended(self)

    def forgotten(self) -> None:
        raise AssertionError("the test is over and nothing is left")


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    assert interrupts.open_sessions() == ()
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_flow_is_the_function_that_it_was() -> None:
    @flow
    def twice(number: int) -> int:
        """Two of it."""
        return 2 * number

    assert (twice(3), twice.__name__, twice.__doc__) == (6, "twice", "Two of it.")


async def test_so_is_an_asynchronous_one() -> None:
    @flow(name="later")
    async def twice(number: int) -> int:
        return 2 * number

    assert await twice(3) == 6


@pytest.mark.parametrize(
    ("error", "called"),
    [
        (None, "completion"),
        (ValueError("warm"), "failure"),
        (KeyboardInterrupt(), "cancellation"),
        (Cancelled("SIGTERM was received"), "cancellation"),
    ],
)
def test_the_hook_of_its_ending_is_called_with_flow_run_and_state(error: BaseException | None, called: str) -> None:
    heard: list[tuple[str, FlowRun, State]] = []

    def hook(kind: str) -> Any:
        return lambda _, run, state: heard.append((kind, run, state))

    kinds = ("completion", "failure", "cancellation")

    @flow(**{f"on_{kind}": [hook(kind)] for kind in kinds})
    def morning(chip_id: str, rounds: int = 3) -> None:
        if error is not None:
            raise error

    with pytest.raises(type(error)) if error is not None else nullcontext():
        morning("4Q")
    ((kind, run, state),) = heard
    assert (kind, run.name, run.parameters) == (called, "morning", {"chip_id": "4Q", "rounds": 3})
    assert (state.error, state.type) == (
        error,
        {"completion": "COMPLETED", "failure": "FAILED", "cancellation": "CANCELLED"}[called],
    )


@pytest.mark.parametrize("hooks", [{}, {"on_cancellation": [on_flow_cancellation], "on_failure": [on_flow_failure]}])
@pytest.mark.parametrize("error", [ValueError("warm"), Cancelled()])
def test_what_it_has_begun_and_not_ended_is_ended_once_and_nothing_else(
    hooks: dict[str, Any], error: BaseException
) -> None:
    elsewhere, own = Session(), list[Session]()

    @flow(**hooks)
    def forgetful() -> None:
        own.append(Session())
        raise error

    with pytest.raises(type(error)):
        forgetful()
    assert own[0].left == [error]
    assert elsewhere.left == []
    elsewhere.leave(None)


def test_a_hook_that_fails_keeps_nothing_from_its_end(caplog: pytest.LogCaptureFixture) -> None:
    own: list[Session] = []

    @flow(on_failure=[lambda *_: 1 / 0])
    def forgetful() -> None:
        own.append(Session())
        raise ValueError("warm")

    with pytest.raises(ValueError, match="warm"):
        forgetful()
    assert len(own[0].left) == 1
    assert "of flow forgetful failed" in caplog.text


def test_sigterm_raises_cancelled_in_it() -> None:
    @flow
    def endless() -> None:
        signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Cancelled, match="SIGTERM was received"):
        endless()


def test_what_a_flow_cannot_be_told_is_refused() -> None:
    with pytest.raises(ServiceError, match="flow has no option 'retries' here: it has name, on_completion"):
        flow(retries=3)  # type: ignore[call-overload]


@pytest.mark.parametrize("name", ["CheckSkew", "GitHubPushConfig", "get_session", "generate_execution_id"])
def test_a_name_that_there_is_not_says_what_to_do(name: str) -> None:
    with pytest.raises(ImportError, match=f"kubecal.workflow has no {name}: "):
        getattr(workflow, name)


def test_everything_that_is_offered_is_there() -> None:
    assert [name for name in workflow.__all__ if not hasattr(workflow, name)] == []
    assert workflow._is_cancellation(Cancelled())
    assert not workflow._is_cancellation(ValueError())
