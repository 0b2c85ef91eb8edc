"""The engine: what a session does next, as pure functions of what was observed.

One policy a file, each with its table test. Nothing here does I/O, reads a clock, or knows of Kubernetes or
MongoDB; two drivers run it, and what a session does must not depend on which.
"""
