"""``kubectl_complete-kubecal``: how kubectl asks a plugin of its what may be typed next."""

from __future__ import annotations

import contextlib
import os
import sys

from kubecal.cli.main import app

_NO_FILES = ":4"
"""Of kubectl's directives: offer no files besides."""


def for_kubectl() -> None:
    """``kubectl_complete-kubecal``: what may follow ``kubectl kubecal ...``, of which the last word is unfinished."""
    words = ["kubecal", *sys.argv[1:]]
    os.environ |= {
        "_KUBECAL_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    with contextlib.suppress(SystemExit):
        app(prog_name="kubecal")
    print(_NO_FILES)
