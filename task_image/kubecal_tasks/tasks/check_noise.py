"""The noise of the readout lines while nothing is driven."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import Verdict
from kubecal_tasks.backends.base import Backend
from kubecal_tasks.backends.reading import Reading
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.declarations import OutputParameter
from kubecal_tasks.framework.outcome import Check
from kubecal_tasks.framework.task import FigureContext, PostProcessResult
from kubecal_tasks.tasks.findings import estimate, value_line
from kubecal_tasks.tasks.set_up import SetUpTask

if TYPE_CHECKING:
    from kubecal_tasks.figures import Figure

READINGS = 10
"""How often each line is listened to: their scatter is the error."""
QUIETEST_DB, LOUDEST_DB = -100.0, -10.0
"""Of the ADC's full scale. An amplifier that is on is louder than the one; noise beyond the other, a third of the full
scale in one sigma, leaves no room for a signal."""


class CheckNoise(SetUpTask):
    """Noise of each readout line without drive."""

    name = "CheckNoise"
    kind = TargetKind.CHIP
    outputs: ClassVar[tuple[OutputParameter, ...]] = (
        OutputParameter(
            "noise_floor",
            "dB",
            required=False,
            maximum=0.0,
            description="of the noisiest readout line, relative to the ADC's full scale",
        ),
    )

    def ask(self, backend: Backend) -> Reading:
        """Listen to every line several times."""
        heard = [backend.noise() for _ in range(READINGS)]
        return Reading("noise", {"levels_db": {line: [one[line] for one in heard] for line in heard[0]}})

    def judge(self, said: Mapping[str, Any]) -> PostProcessResult:
        """The noisiest line, and whether any is silent or too loud."""
        levels = {line: _level(readings) for line, readings in said["levels_db"].items()}
        if not levels:
            text = "no readout line was listened to: look at the chip's wiring"
            return PostProcessResult(checks=(Check("lines", 0.0, 1.0, False, Verdict.NO_SIGNAL, message=text),))
        within = sum(QUIETEST_DB <= level.value <= LOUDEST_DB for level in levels.values())
        noisiest = max(levels, key=lambda line: levels[line].value)
        return PostProcessResult(
            estimates=(estimate("noise_floor", levels[noisiest]),),
            checks=tuple(check for line, level in levels.items() for check in _checks(line, level.value)),
            metrics={"lines": float(len(levels)), "quietest_db": min(level.value for level in levels.values())},
            lines=(
                value_line("noise floor", levels[noisiest], "dB"),
                f"of {noisiest}",
                f"{within} of {len(levels)} lines within limits",
            ),
            figures=(_picture(levels),),
        )


def _level(readings: list[float]) -> Measured:
    values = np.asarray(readings, dtype=np.float64)
    return Measured(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def _checks(line: str, level: float) -> tuple[Check, ...]:
    """Of the task, not of its output: a line that is silent or too loud is what it was run to find."""
    silent = f"{line} is at {level:.1f} dB, which is silence: look whether its amplifier is on"
    loud = f"{line} is at {level:.1f} dB, which leaves no room for a signal: lower its amplifier's gain"
    return (
        Check(f"{line} silent", level, QUIETEST_DB, level >= QUIETEST_DB, Verdict.NO_SIGNAL, message=silent),
        Check(f"{line} loud", level, LOUDEST_DB, level <= LOUDEST_DB, Verdict.UNPHYSICAL, message=loud),
    )


def _picture(levels: Mapping[str, Measured]) -> Callable[[FigureContext], Figure]:
    def draw(context: FigureContext) -> Figure:
        from kubecal_tasks.figures.levels import levels_figure

        values = [(level.value, level.error) for level in levels.values()]
        return levels_figure(tuple(levels), values, context, LOUDEST_DB)

    return draw
