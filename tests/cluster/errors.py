"""The one error that the test clusters raise."""


class ClusterError(Exception):
    """What was wrong, where, and what to do, in one sentence. The command line prints it without a traceback."""
