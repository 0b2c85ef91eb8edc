"""The fake chip is honest: what is set wrong gives wrong data, as theory says, and the verdict that fits.

    python -m tests.bench.honesty [--qubit 5] [--seed 11]

Inputs are set wrong by ``Chip.spec.design``, and CheckRabi is run: first the five gross errors with their verdicts,
then a sweep of smaller ones whose contrast and frequency follow theory, within their own errors.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import hypot, isfinite, sqrt
from typing import Any

import numpy as np

from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import square_lattice
from kubecal.records.results import OutputRecord
from kubecal_tasks.physics.truth import QubitTruth, draw_truth
from tests.bench.closed_loop import ClosedLoop, Outcome

RATE_MHZ = 12.5
RELAXED = {"interval": 1000.0}
"""Run parameters, us. After the usual interval a long-lived qubit is not back in |0>, and contrast depends on how far
the shot before turned it: so it is on a real chip, but not in the formula."""
MOST_SIGMAS = 4.5
"""As for every pull: of some tens of numbers none is further off by chance."""


@dataclass(frozen=True)
class Mistake:
    """One way to set a chip up wrongly."""

    words: str
    drive_mhz: float = 0.0
    """Added to the qubit's frequency."""
    amplitude: float = 1.0
    """Factor on the amplitude that drives at 12.5 MHz."""
    readout_mhz: float = 0.0
    """Added to the readout frequency."""
    dead: bool = False


GROSS = {
    Mistake("drive 200 MHz too high", drive_mhz=200): Verdict.NO_SIGNAL,
    Mistake("drive 55 MHz too high", drive_mhz=55): Verdict.WINDOW,
    Mistake("control amplitude x 0.03", amplitude=0.03): Verdict.WINDOW,
    Mistake("readout 100 MHz off", readout_mhz=100): Verdict.NO_SIGNAL,
    Mistake("dead qubit", dead=True): Verdict.NO_SIGNAL,
}
"""Each with the verdict it must get."""

SMALL = (
    *(Mistake(f"drive {d:+g} MHz", drive_mhz=d) for d in (-20, -10, -5, -2, 0, 2, 5, 10, 20, 30)),
    *(Mistake(f"amplitude x {a:g}", amplitude=a) for a in (0.25, 0.5, 0.8, 1.2, 1.5, 2.0)),
)


@dataclass(frozen=True)
class Bench:
    """A qubit whose truth is known, to be set wrong around it."""

    qubit: str
    seed: int

    @property
    def truth(self) -> QubitTruth:
        """The answers."""
        site = square_lattice(8, 8, 4).site_by_id[self.qubit]
        return draw_truth(self.seed, RequestSite(id=site.id, x=site.x, y=site.y, mux=site.mux))

    def rabi(self, mistake: Mistake, parameters: Mapping[str, Any] | None = None) -> Outcome:
        """CheckRabi with the inputs that the mistake gives it."""
        truth = self.truth
        # The design value of the readout is what a lab would have; the truth's own centre is not it.
        plain = ClosedLoop(square_lattice(8, 8, 4), self._config(mistake))
        readout_ghz = plain.design_of(self.qubit)["readout_frequency"].value
        design: dict[str, Any] = {
            "qubit_frequency": {"value": (truth.frequency_hz / 1e6 + mistake.drive_mhz) / 1e3, "error": 0.0},
            "control_amplitude": {"value": mistake.amplitude * RATE_MHZ * 1e6 / truth.drive_hz},
            "readout_frequency": {"value": readout_ghz + mistake.readout_mhz / 1e3},
        }
        return ClosedLoop(square_lattice(8, 8, 4), self._config(mistake), {self.qubit: design}).run(
            "CheckRabi", self.qubit, parameters
        )

    def _config(self, mistake: Mistake) -> dict[str, Any]:
        faults = [{"kind": "DeadQubit", "target": self.qubit}] if mistake.dead else []
        priors = {"frequencyMHz": 0.0, "amplitude": 0.0, "readoutMHz": 0.0}
        return {"seed": self.seed, "drift": False, "priors": priors, "faults": faults}


def gross_errors(bench: Bench) -> Iterator[str]:
    """Print the verdicts and say which are not those they must be."""
    print(f"{'what is wrong':28} {'verdict':12} why")
    for mistake, expected in GROSS.items():
        outcome = bench.rabi(mistake)
        print(f"{mistake.words:28} {outcome.verdict:12} {outcome.judged.message}")
        if outcome.verdict is not expected:
            yield f"{mistake.words} is judged {outcome.verdict}, not {expected}"


@dataclass(frozen=True)
class Compared:
    """One measured quantity beside theory."""

    name: str
    measured: float
    error: float
    theory: float

    @property
    def sigmas(self) -> float:
        """By how many errors it is off."""
        return (self.measured - self.theory) / self.error

    def __str__(self) -> str:
        return f"{self.measured:9.4f} {self.theory:9.4f} {self.sigmas:+7.2f}"


def small_errors(bench: Bench) -> Iterator[str]:
    """Print contrast and frequency beside theory and say where they differ."""
    right = _value(bench.rabi(Mistake("nothing"), RELAXED), "rabi_amplitude")
    unit = rabi_theory(bench.truth, Mistake("nothing"))[0]
    heading = f"{'measured':>9} {'theory':>9} {'sigmas':>7}"
    print(f"\n{'':31}{'contrast':^27} | {'frequency (MHz)':^27}")
    print(f"{'what is off':20} {'verdict':10}{heading} | {heading}")
    for mistake in SMALL:
        outcome = bench.rabi(mistake, RELAXED)
        contrast_theory, turning = rabi_theory(bench.truth, mistake)
        amplitude, turned = _value(outcome, "rabi_amplitude"), _value(outcome, "rabi_frequency")
        ratio = amplitude.value / right.value
        doubt = ratio * hypot(amplitude.error / amplitude.value, right.error / right.value)
        contrast = Compared("contrast", ratio, doubt, contrast_theory / unit)
        frequency = Compared("frequency", turned.value, turned.error, turning)
        print(f"{mistake.words:20} {outcome.verdict:10}{contrast} | {frequency}")
        for each in (contrast, frequency):
            if not abs(each.sigmas) < MOST_SIGMAS:
                yield f"{mistake.words}: the {each.name} is {each.measured:.4f}, theory says {each.theory:.4f}"


def rabi_theory(truth: QubitTruth, mistake: Mistake) -> tuple[float, float]:
    """Contrast, and frequency in MHz, of a driven transmon of three levels without decay.

    The generalised Rabi formula is that of its two lower levels; the third shifts the line by about
    rate^2 / (2 anharmonicity), a quarter of a megahertz, which these errors can tell.
    """
    rate, detuning = RATE_MHZ * mistake.amplitude, -mistake.drive_mhz
    anharmonicity = truth.anharmonicity_hz / 1e6
    coupling = rate / 2 * np.asarray([[0, 1, 0], [1, 0, sqrt(2)], [0, sqrt(2), 0]])
    levels, states = np.linalg.eigh(coupling + np.diag([0.0, detuning, 2 * detuning + anharmonicity]))
    qubit = np.argsort(np.abs(states[2]))[:2]
    return 4 * float(np.abs(np.prod(states[:2, qubit]))), float(np.abs(np.diff(levels[qubit]))[0])


def _value(outcome: Outcome, name: str) -> OutputRecord:
    """An output of an attempt that gave one."""
    found = [each for each in outcome.judged.outputs if each.name == name and isfinite(each.value) and each.error > 0]
    assert found, f"{name} was not determined: {outcome.judged.message}"
    return found[0]


def main() -> int:
    """Print both tables, judge them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qubit", default="5")
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    bench = Bench(options.qubit, options.seed)
    problems = [*gross_errors(bench), *small_errors(bench)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
