"""The operator: a kopf application that turns calibration sessions into pods, one per task."""
