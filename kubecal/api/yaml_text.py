"""Documents as YAML that every reader takes for the same."""

from __future__ import annotations

import re

import yaml

_WIDTH = 120


class _Dumper(yaml.SafeDumper):
    """Quotes what YAML 1.1 calls a truth value: kubectl takes a bare ``y``, as a qubit's place has it, for ``true``."""


_Dumper.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^[yYnN]$"), list("yYnN"))


def yaml_text(*documents: object) -> str:
    """One document, or several with ``---`` between them; keys in their own order."""
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    return text
