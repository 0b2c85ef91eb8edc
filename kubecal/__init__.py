"""kubecal: calibration of superconducting quantum processors from a Kubernetes cluster, or on a laptop."""

__version__ = "0.1.0"
