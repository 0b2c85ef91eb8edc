"""What the set-up tasks share: they ask a backend's verbs, play no program, and look at the modules afterwards."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.backends.reading import Reading
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import BaseTask, PostProcessResult
from kubecal_tasks.programs import Acquisition

_STATUS = "status"


class SetUpTask(BaseTask):
    """A task of backend verbs; what it was told is its raw data."""

    plays: ClassVar[bool] = False

    def preprocess(self, backend: Backend) -> None:
        """No program is played, so there is none to prepare."""

    def run(self, backend: Backend) -> Sequence[Reading]:
        """Ask the backend."""
        return (self.ask(backend),)

    def postprocess(self, backend: Backend, result: Sequence[Acquisition | Reading]) -> PostProcessResult:
        """Judge what it said."""
        (reading,) = (each for each in result if isinstance(each, Reading))
        return self.judge(reading.content)

    @abstractmethod
    def ask(self, backend: Backend) -> Reading:
        """Use the backend's verbs and keep what they say."""

    @abstractmethod
    def judge(self, said: Mapping[str, Any]) -> PostProcessResult:
        """What that means; Any: JSON."""

    @classmethod
    def estimated_duration_s(cls) -> float:
        """A few answers over a network."""
        return 2.0


class ModulesTask(SetUpTask):
    """A set-up task that does something to modules and succeeds where all of them are well afterwards."""

    def ask(self, backend: Backend) -> Reading:
        """Act, then ask every module how it is."""
        self.act(backend)
        rows = [{"module": each.module, "ok": each.ok, "message": each.message} for each in backend.status()]
        return Reading(_STATUS, {"modules": rows})

    @abstractmethod
    def act(self, backend: Backend) -> None:
        """What is done to the modules."""

    def judge(self, said: Mapping[str, Any]) -> PostProcessResult:
        """One row a module."""
        rows = said["modules"]
        faulty = [row for row in rows if not row["ok"]]
        text = "no module answers: look at the instruments' network, and at the chip's wiring"
        answering = Check("modules", len(rows), 1.0, len(rows) >= 1, Verdict.HARDWARE_ERROR, message=text)
        return PostProcessResult(
            checks=(answering, *(_module_check(row) for row in rows)),
            metrics={"modules": float(len(rows)), "faulty_modules": float(len(faulty))},
        )


def _module_check(row: Mapping[str, Any]) -> Check:
    faults = 0.0 if row["ok"] else 1.0
    text = f"{row['module']} is not well ({row['message'] or 'it does not say why'}): look at this module"
    return Check(row["module"], faults, 0.0, bool(row["ok"]), Verdict.HARDWARE_ERROR, message=text)
