"""Files a lab brings along from QDash and qubex, as a Chip and as values of parameters.

Pure but for reading the files: what is wrong in them is gathered and said at once, what is left out is named.
"""

from kubecal.importing.chip import ChipFiles, ImportedChip, import_chip
from kubecal.importing.parameters import import_parameters
from kubecal.importing.sheet import ImportProblem, Sheet

__all__ = ["ChipFiles", "ImportProblem", "ImportedChip", "Sheet", "import_chip", "import_parameters"]
