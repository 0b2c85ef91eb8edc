"""Sweeps: small sessions, disturbed at every place where a disturbance can fall."""
