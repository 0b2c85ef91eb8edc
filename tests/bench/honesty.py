"""The fake chip is honest: what is set wrong gives wrong data, as theory says, and the verdict that fits.

    python -m tests.bench.honesty [--qubit 5] [--seed 11]

Inputs are set wrong by ``Chip.spec.design``, and CheckRabi is run: first the five gross errors with their verdicts,
then a sweep of smaller ones whose contrast and frequency follow the generalised Rabi formula.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, isfinite
from typing import Any

from kubecal.api.request import RequestSite, Verdict
from kubecal.api.topology import square_lattice
from kubecal_tasks.physics.truth import QubitTruth, draw_truth
from tests.bench.closed_loop import ClosedLoop, Outcome

RATE_MHZ = 12.5
CONTRAST_TOLERANCE, FREQUENCY_TOLERANCE = 0.05, 0.02


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

    def rabi(self, mistake: Mistake) -> Outcome:
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
            "CheckRabi", self.qubit
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


def small_errors(bench: Bench) -> Iterator[str]:
    """Print contrast and frequency beside theory and say where they differ."""
    right = _amplitude(bench.rabi(Mistake("nothing")))
    print(f"\n{'what is off':20} {'verdict':10} {'contrast':>9} {'theory':>7} {'MHz':>8} {'theory':>8}")
    for mistake in SMALL:
        outcome = bench.rabi(mistake)
        rate = RATE_MHZ * mistake.amplitude
        turning = hypot(rate, mistake.drive_mhz)
        contrast, frequency = _amplitude(outcome) / right, _value(outcome, "rabi_frequency")
        expected = (rate / turning) ** 2
        print(
            f"{mistake.words:20} {outcome.verdict:10} {contrast:9.3f} {expected:7.3f} {frequency:8.3f} {turning:8.3f}"
        )
        if abs(contrast - expected) > CONTRAST_TOLERANCE:
            yield f"{mistake.words}: the contrast is {contrast:.3f}, theory says {expected:.3f}"
        if abs(frequency / turning - 1) > FREQUENCY_TOLERANCE:
            yield f"{mistake.words}: the frequency is {frequency:.3f} MHz, theory says {turning:.3f}"


def _amplitude(outcome: Outcome) -> float:
    return _value(outcome, "rabi_amplitude")


def _value(outcome: Outcome, name: str) -> float:
    value = next((each.value for each in outcome.judged.outputs if each.name == name), float("nan"))
    assert isfinite(value), f"{name} was not determined: {outcome.judged.message}"
    return value


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
