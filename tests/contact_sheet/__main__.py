"""Draw every task's figure, as it is where all is well and where something is wrong, on a few sheets.

    python -m tests.contact_sheet [--family coarse] [--folder docs/figures]

Writes one PNG a family, and in the folder's ``tasks`` the first figure of each task where all is well, which the pages
of the documents show. The same code makes the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.contact_sheet.cases import Picture, known_before, pictures
from tests.contact_sheet.sheet import contact_sheet, page_figure

FAMILIES = {
    "readout": (
        *("CheckNoise", "CheckResonatorFrequencies", "CheckResonatorSpectroscopy", "CheckReflectionCoefficient"),
        *("CheckElectricalDelay", "CheckWaveform", "CheckReadoutAmplitude", "CheckReadoutFrequency"),
        *("CheckDispersiveShift", "CheckOptimalReadoutAmplitude", "CheckOptimalReadoutFrequency"),
        "ReadoutClassification",
    ),
    "spectroscopy": (
        *("CheckQubitSpectroscopy", "CheckSimultaneousQubitSpectroscopy", "CheckQubitFrequencies"),
        *("CheckControlAmplitude", "CheckChevron", "CheckCoarseChevron", "CheckFineChevron", "CheckQubitFrequency"),
    ),
    "coarse": (
        *("CheckQubit", "CheckRabi", "CreateHPIPulse", "CheckHPIPulse", "CreatePIPulse", "CheckPIPulse"),
        *("CheckRamsey", "CheckT1", "CheckT1Average", "CheckT2Echo", "CheckT2EchoAverage"),
    ),
    "fine": (
        *("CreateDRAGHPIPulse", "CheckDRAGHPIPulse", "CreateDRAGPIPulse", "CheckDRAGPIPulse"),
        *("RandomizedBenchmarking", "X90InterleavedRandomizedBenchmarking", "X180InterleavedRandomizedBenchmarking"),
        "Check1QGateCoherenceLimit",
    ),
    "two-qubit": (
        *("CheckCrossResonance", "CreateZX90", "CheckZX90", "CheckBellState", "CheckBellStateTomography"),
        "ZX90InterleavedRandomizedBenchmarking",
    ),
}
"""Tasks by sheet, in the order in which they are shown."""
FOLDER = Path(__file__).parents[2] / "docs" / "figures"


def main() -> int:
    """Run the tasks, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--family", choices=sorted(FAMILIES), nargs="*", help="only these sheets")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    options = parser.parse_args()
    families = {name: tasks for name, tasks in FAMILIES.items() if not options.family or name in options.family}
    before = known_before()
    for name, tasks in families.items():
        mine = [picture for task in tasks for picture in pictures(task, before[task])]
        content = contact_sheet(mine)
        (options.folder / f"{name}.png").write_bytes(content)
        _write_alone(mine, options.folder / "tasks")
        print(
            f"{name}.png: {len(mine)} figures of {len({one.task for one in mine})} tasks, {len(content) / 1e6:.2f} MB"
        )
    return 0


def _write_alone(mine: Sequence[Picture], folder: Path) -> None:
    """The first figure of each task: all is well in it."""
    folder.mkdir(parents=True, exist_ok=True)
    first: dict[str, Picture] = {}
    for picture in mine:
        first.setdefault(picture.task, picture)
    for task, picture in first.items():
        (folder / f"{task}.png").write_bytes(page_figure(picture))


if __name__ == "__main__":
    sys.exit(main())
