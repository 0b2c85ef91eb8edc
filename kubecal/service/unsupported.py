"""What flows of other engines may ask for and kubecal does not do: said in a sentence, never passed over."""

from __future__ import annotations

from typing import NoReturn

from kubecal.service.errors import ServiceError

_GITHUB = "parameters are kept in the records, not in GitHub: leave it out, and export with `kubecal params export`"
_SENTENCES = {
    "enable_github": _GITHUB,
    "enable_github_pull": _GITHUB,
    "github_push_config": _GITHUB,
    "push_to_github": _GITHUB,
    "use_lock": "every session holds its chip, and others wait for it: leave it out",
    "upstream_id": "every result knows the task before it on its target by itself: leave it out",
    "update_chip_history": "the chip's daily history is always written: leave it out",
    "export_note_to_file": "the note is in the records: leave it out, and look at `kubecal results`",
}
_ATTRIBUTES = {
    "execution_service": "the session's state is in .status, its records are under `kubecal results`",
    "task_context": "what a task found is what run_task and execute_task return",
    "backend": "tasks speak to the backend, in processes of their own; the program does not",
    "github_integration": _GITHUB,
}


def refuse(**options: bool) -> None:
    """Raise for the first option that asks for what there is not.

    Raises
    ------
    ServiceError
        With what to do instead.
    """
    for name, asked in options.items():
        if asked:
            raise ServiceError(f"{name}: {_SENTENCES[name]}")


def no_attribute(owner: object, name: str) -> NoReturn:
    """Raise AttributeError with what to use instead, where that is known."""
    hint = f": {_ATTRIBUTES[name]}" if name in _ATTRIBUTES else ""
    raise AttributeError(f"{type(owner).__name__} has no attribute {name!r}{hint}", name=name, obj=owner)
