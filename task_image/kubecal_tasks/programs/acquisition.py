"""What came back from a program."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kubecal_tasks.programs.document import program_from_dict, program_to_dict
from kubecal_tasks.programs.program import Program

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Acquired:
    """What a backend hands back.

    The axes' shape (n, m, ...) is that of the program, outermost first; T is the number of tones.
    """

    axes: tuple[Array, ...]
    """Values of each axis as the instrument could set them."""
    iq: Array
    """(n, m, ..., T, 2) means, (n, m, ..., shots, T, 2) single shots, or (n, m, ..., K, T, 2) means over the shots of K
    samples; in ADC full scales."""
    covariance: Array | None
    """(n, m, ..., T, 2, 2), or (n, m, ..., K, T, 2, 2), of the means; None for single shots."""
    clipped: Array
    """(T,) fraction of all shots beyond the ADC's full scale."""
    duration_s: float
    """How long the instrument took, or would have."""
    times_s: Array | None = None
    """(K,) middle of each sample of a trace, s after the start of the readout; None where no trace was wanted."""


@dataclass(frozen=True)
class Acquisition:
    """A program with its data: what a task hands back from ``run`` and what is stored."""

    label: str
    program: Program
    data: Acquired

    @property
    def x(self) -> Array:
        """(N,) values of the only axis, as the instrument could set them."""
        if len(self.data.axes) != 1:
            raise ValueError(f"{self.label!r} has {len(self.data.axes)} axes, so there is no single x: use data.axes")
        return self.data.axes[0]

    @property
    def times_s(self) -> Array:
        """(K,) middle of each sample, s after the start of the readout."""
        if self.data.times_s is None:
            raise ValueError(f"{self.label!r} has no trace: ask for one with Trace")
        return self.data.times_s

    @property
    def iq(self) -> Array:
        """IQ of the only tone: (..., 2)."""
        return np.asarray(self.data.iq[..., self._only_tone(), :])

    @property
    def covariance(self) -> Array:
        """Covariance of the only tone's means: (..., 2, 2)."""
        if self.data.covariance is None:
            raise ValueError(f"{self.label!r} has single shots, which have no covariance of a mean: use iq")
        return np.asarray(self.data.covariance[..., self._only_tone(), :, :])

    @property
    def clipped(self) -> float:
        """Fraction of shots beyond the ADC's full scale, of the worst tone."""
        return float(self.data.clipped.max())

    def tone(self, line: str) -> Acquisition:
        """The acquisition as if this line alone had been read: ``acquisition.tone("readout/3").iq``.

        Raises
        ------
        ValueError
            If the line was not read.
        """
        lines = [tone.line for tone in self.program.readout.tones]
        if line not in lines:
            raise ValueError(f"{self.label!r} reads {', '.join(lines)}, not {line!r}: name one of these")
        number = lines.index(line)
        only = slice(number, number + 1)
        readout = replace(self.program.readout, tones=self.program.readout.tones[only])
        covariance = self.data.covariance
        data = replace(
            self.data,
            iq=self.data.iq[..., only, :],
            covariance=None if covariance is None else covariance[..., only, :, :],
            clipped=self.data.clipped[only],
        )
        return Acquisition(self.label, replace(self.program, readout=readout), data)

    def _only_tone(self) -> int:
        tones = len(self.data.clipped)
        if tones != 1:
            raise ValueError(f"{self.label!r} reads {tones} tones: pick one, as tone(line)")
        return 0

    def to_npz(self) -> bytes:
        """The acquisition as a file: arrays, and the program as JSON.

        Equal data give equal bytes on one version of Python: the archive names the one that wrote it.
        """
        arrays: dict[str, NDArray[np.generic]] = {
            "label": np.asarray(self.label),
            "program": np.asarray(json.dumps(program_to_dict(self.program), sort_keys=True)),
            "iq": self.data.iq,
            "clipped": self.data.clipped,
            "duration_s": np.asarray(self.data.duration_s),
            **{f"axis_{number}": values for number, values in enumerate(self.data.axes)},
        }
        if self.data.covariance is not None:
            arrays["covariance"] = self.data.covariance
        if self.data.times_s is not None:
            arrays["times_s"] = self.data.times_s
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_npz(cls, content: bytes) -> Acquisition:
        """Read what ``to_npz`` wrote.

        Raises
        ------
        ProgramError
            If its program is none.
        """

        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            names = sorted((n for n in file.files if n.startswith("axis_")), key=lambda n: int(n[5:]))
            data = Acquired(
                axes=tuple(file[name] for name in names),
                iq=file["iq"],
                covariance=file["covariance"] if "covariance" in file.files else None,
                clipped=file["clipped"],
                duration_s=float(file["duration_s"]),
                times_s=file["times_s"] if "times_s" in file.files else None,
            )
            return cls(str(file["label"]), program_from_dict(json.loads(str(file["program"]))), data)
