"""The calibration tasks of our lab."""
