"""Flows: functions that calibrate, and end what they have begun however they end."""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, overload

from kubecal.service import interrupts
from kubecal.service.errors import ServiceError, is_cancellation

P = ParamSpec("P")
R = TypeVar("R")
_SUPPORTED = ("name", "on_completion", "on_cancellation", "on_failure", "on_crashed")


@dataclass(frozen=True)
class State:
    """How a flow run ended."""

    name: str
    """``Completed``, ``Failed`` or ``Cancelled``."""
    message: str = ""
    error: BaseException | None = None

    @property
    def type(self) -> str:
        """In capitals."""
        return self.name.upper()


@dataclass(frozen=True)
class FlowRun:
    """One call of a flow."""

    id: str
    name: str
    parameters: Mapping[str, Any]
    """Its arguments by name; Any: the function's own types."""
    before: tuple[interrupts.Leaving, ...] = ()
    """Sessions that were open when it began, and are none of its own."""

    @property
    def sessions(self) -> tuple[interrupts.Leaving, ...]:
        """Sessions that it has begun and that are still open, the newest first."""
        return tuple(one for one in reversed(interrupts.open_sessions()) if one not in self.before)


Hook = Callable[[Any, FlowRun, State], object]
"""Called with the flow, its run and how that ended; Any: the decorated function."""


def on_flow_cancellation(flow: object, flow_run: FlowRun, state: State) -> None:
    """Cancel every session that the run has left open, and wait until what runs has stopped."""
    _leave(flow_run, state)


def on_flow_failure(flow: object, flow_run: FlowRun, state: State) -> None:
    """End every session that the run has left open as failed."""
    _leave(flow_run, state)


on_flow_crashed = on_flow_failure


@overload
def flow(function: Callable[P, R], /) -> Callable[P, R]: ...


@overload
def flow(
    *,
    name: str = "",
    on_completion: Sequence[Hook] = (),
    on_cancellation: Sequence[Hook] = (),
    on_failure: Sequence[Hook] = (),
    on_crashed: Sequence[Hook] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...


def flow(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function, asynchronous or not, a flow.

    While it runs SIGTERM raises :class:`kubecal.Cancelled` in the main thread. Sessions that it has begun and not
    ended are cancelled when it is interrupted, and failed when it raises anything else; the hooks of that ending are
    called before.

    Parameters
    ----------
    name
        What it is called; else the function's name.
    on_completion, on_cancellation, on_failure, on_crashed
        Called with the flow, the run and its state, in this process. Nothing outlives a process that crashed, so
        ``on_crashed`` is called with ``on_failure``.
    """
    unknown = sorted(set(options) - set(_SUPPORTED))
    if unknown:
        raise ServiceError(f"flow has no option {unknown[0]!r} here: it has {', '.join(_SUPPORTED)}; leave it out")
    if function is None:
        return functools.partial(_flow, options=options)
    return _flow(function, options=options)


def get_run_logger() -> logging.Logger:
    """A logger whose messages appear beside the program's output."""
    logger = logging.getLogger("kubecal.flow")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    return logger


def _flow(function: Callable[..., Any], *, options: Mapping[str, Any]) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*arguments: Any, **named: Any) -> Any:
            with _running(later, function, options, arguments, named):
                return await function(*arguments, **named)

        return later

    @functools.wraps(function)
    def now(*arguments: Any, **named: Any) -> Any:
        with _running(now, function, options, arguments, named):
            return function(*arguments, **named)

    return now


@contextmanager
def _running(
    flow: object,
    function: Callable[..., Any],
    options: Mapping[str, Any],
    arguments: Sequence[Any],
    named: Mapping[str, Any],
) -> Iterator[None]:
    bound = inspect.signature(function).bind(*arguments, **named)
    bound.apply_defaults()
    run = FlowRun(
        str(uuid.uuid4()), options.get("name") or function.__name__, bound.arguments, interrupts.open_sessions()
    )
    interrupts.listen()
    try:
        try:
            yield
        except BaseException as error:
            cancelled = is_cancellation(error)
            state = State("Cancelled" if cancelled else "Failed", str(error), error)
            kinds = ("on_cancellation",) if cancelled else ("on_failure", "on_crashed")
            _call(flow, run, state, [hook for kind in kinds for hook in options.get(kind, ())])
            _leave(run, state)
            raise
        _call(flow, run, State("Completed"), options.get("on_completion", ()))
    finally:
        interrupts.listen_no_longer()


def _call(flow: object, run: FlowRun, state: State, hooks: Sequence[Hook]) -> None:
    """Each hook once; one that fails keeps none of the others from its work."""
    for hook in dict.fromkeys(hooks):
        try:
            hook(flow, run, state)
        except Exception:
            get_run_logger().exception("hook %s of flow %s failed", getattr(hook, "__name__", hook), run.name)


def _leave(run: FlowRun, state: State) -> None:
    for session in run.sessions:
        session.leave(state.error)
