"""Trains of one pulse, in which what a single one does wrong adds up.

Half-pi pulses need nothing before them: after an odd number the signal stands half-way, where it tells most. Pi
pulses never stand there, so in a second series a pulse of half their amplitude goes before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kubecal.api.request import Verdict
from kubecal_tasks.fits.train import Series, TrainFit, fit_train
from kubecal_tasks.fits.values import Measured
from kubecal_tasks.framework.outcome import Check, Refusal
from kubecal_tasks.programs import Play, Program
from kubecal_tasks.tasks.pulses import Pulses
from kubecal_tasks.tasks.trace import Trace

PAIR = 4.0
"""A pi rotation about an axis tilted by n rad, and its opposite, turn by 4 n together."""


@dataclass(frozen=True)
class Rotation:
    """What a pulse is to do."""

    angle_rad: float
    words: str

    @property
    def whole(self) -> int:
        """How many of them make a pi rotation."""
        return round(math.pi / self.angle_rad)

    def series(self, tilts: bool = False) -> tuple[Series, ...]:
        """The trains that tell its angle, and if asked for the tilt of its axis."""
        found = [Series("in a row", self.angle_rad)]
        if self.whole == 1:
            found.append(Series("after half a pulse", self.angle_rad, led=True))
        if tilts:
            found.append(Series("there and back", led=True, tilts=True, pulses=2 * self.whole))
        return tuple(found)


HALF_PI_ROTATION = Rotation(math.pi / 2, "half-pi")
PI_ROTATION = Rotation(math.pi, "pi")


def train_programs(
    pulses: Pulses, pulse: Play, rotation: Rotation, counts: Sequence[int], tilts: bool = False
) -> dict[str, Program]:
    """A program for each series of a rotation, under its words.

    The trains that go there and back begin with a quarter turn about Y. Then what the pulses turn too far is undone by
    their opposites, and only the tilt adds up.

    Raises
    ------
    Refusal
        If the counts would show pi pulses at one end of their turn alone.
    """
    if rotation.whole == 1 and len({count % 2 for count in counts}) < 2:
        text = f"repetitions {list(counts)} are all even or all odd, which shows |0> or |1> alone: give both kinds"
        raise Refusal(Check("parity", float(counts[0] % 2), 1.0, False, Verdict.WINDOW, message=text))
    found: dict[str, Program] = {}
    for series in rotation.series(tilts):
        if series.tilts:
            found[series.words] = pulses.train(
                there_and_back(pulse, rotation), counts, (quarter_about_y(pulse, rotation),)
            )
        else:
            found[series.words] = pulses.train((pulse,), counts, (_quarter(pulse, rotation),) if series.led else ())
    return found


def there_and_back(pulse: Play, rotation: Rotation) -> tuple[Play, ...]:
    """A pi rotation about X and one about -X; of half-pi pulses two each, whose axis is tilted as theirs."""
    return (pulse,) * rotation.whole + (replace(pulse, phase_rad=math.pi),) * rotation.whole


def quarter_about_y(pulse: Play, rotation: Rotation) -> Play:
    """A quarter turn about Y."""
    return replace(_quarter(pulse, rotation), phase_rad=math.pi / 2)


def fit_traces(traces: Sequence[Trace], rotation: Rotation, tilts: bool = False) -> TrainFit:
    """The series of a rotation, in their order."""
    y = np.stack([each.signal for each in traces])
    variance = np.stack([each.variance for each in traces])
    return fit_train(traces[0].x, y, variance, rotation.series(tilts))


def tilt_of(fit: TrainFit) -> Measured:
    """Tilt of the pulse's axis towards Z, rad.

    Seen from |0> turned to X, a pair about an axis tilted towards +Z turns on towards |0>: the signal falls.
    """
    return Measured(-fit.pair_angle.value / PAIR, fit.pair_angle.error / PAIR)


def _quarter(pulse: Play, rotation: Rotation) -> Play:
    """A quarter turn: the pulse itself, or one half as strong."""
    return pulse if rotation.whole == 2 else replace(pulse, amplitude=pulse.amplitude * 0.5)
