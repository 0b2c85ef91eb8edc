"""Sweeps: one fixed session, disturbed at every place where a disturbance can fall."""
