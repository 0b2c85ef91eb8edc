"""The simulated chip: its hidden truth, and what pulses do to it.

Only the fake backend, tests and benches import this. No task, fit or figure may: an import rule says so.
"""
