"""The report: one self-contained HTML file of one session, made of answers and of nothing else."""

from kubecal.report.file import write_report
from kubecal.report.material import Material, gather
from kubecal.report.page import render

__all__ = ["Material", "gather", "render", "write_report"]
