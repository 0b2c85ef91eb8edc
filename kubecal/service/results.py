"""What a task found, for a program and for a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubecal.reading.answers import Result
from kubecal.service.values import Value

TASK_ID = "task_id"


@dataclass(frozen=True)
class FigureFiles:
    """One figure in both forms."""

    svg: bytes
    png: bytes

    def _repr_svg_(self) -> str:
        return self.svg.decode()

    def _repr_png_(self) -> bytes:
        return self.png


@dataclass(frozen=True, repr=False)
class TaskResult(Mapping[str, Any]):
    """One task on one target: its last attempt, with all that is recorded of it.

    It is a mapping from the names of the outputs to their values (:class:`Value`), and from ``task_id`` to its id.
    """

    record: Result
    """Everything that is recorded."""
    figures: tuple[FigureFiles, ...] = field(default=(), compare=False)
    """Those that the task drew, failed or not; after ``run(targets, steps)`` see ``CalibService.figures``."""

    @property
    def task_id(self) -> str:
        """The id of its row."""
        return self.record.task_id

    @property
    def task(self) -> str:
        """The task's name."""
        return self.record.task

    @property
    def qid(self) -> str:
        """The qubit or coupling; empty: the chip."""
        return self.record.qid

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return self.record.status == "completed"

    @property
    def verdict(self) -> str:
        """The judgement of its data: ``ok``, ``no_signal``, ...; empty where it came to none."""
        return self.record.verdict

    @property
    def message(self) -> str:
        """Why it failed, in a sentence."""
        return self.record.message

    @property
    def outputs(self) -> Mapping[str, Value]:
        """All values that were measured, those that were not accepted included."""
        return {output.name: Value.of(output) for output in self.record.outputs}

    @property
    def metrics(self) -> Mapping[str, float]:
        """Quality of the fit: ``r2``, ``chi2``, ..."""
        return self.record.metrics

    @property
    def title(self) -> str:
        """``CheckRabi of qubit 0``."""
        kind = "the chip" if not self.qid else f"coupling {self.qid}" if "-" in self.qid else f"qubit {self.qid}"
        return f"{self.task} of {kind}"

    @property
    def failure(self) -> str:
        """What a person is told of it if it failed, in a sentence."""
        how = f"was {self.record.status}" if self.record.status in ("skipped", "cancelled") else "failed"
        verdict = f" ({self.verdict})" if self.verdict else ""
        return f"{self.title} {how}{verdict}: {self.message or 'see its figure'}"

    def __getitem__(self, name: str) -> Any:
        """A value by its name, or the task's id; Any: either."""
        return self.task_id if name == TASK_ID else self.outputs[name]

    def __iter__(self) -> Iterator[str]:
        return iter((*self.outputs, TASK_ID))

    def __len__(self) -> int:
        return len(self.record.outputs) + 1

    def __repr__(self) -> str:
        from kubecal.service.showing import as_text

        return as_text(self)

    def _repr_html_(self) -> str:
        from kubecal.service.showing import as_html

        return as_html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}
