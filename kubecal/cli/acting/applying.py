"""``kubecal apply``: manifests to the cluster, checked here first, with the plain task names that only we read."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kubecal.api.manifests import load_manifests, read_documents, with_plain_names
from kubecal.cli.answering import NotDoneError, answer
from kubecal.cli.exit_codes import ExitCode
from kubecal.cli.form import Form
from kubecal.cli.place import Place, Where
from kubecal.cli.screen import Screen

Object = dict[str, Any]
"""Any: manifest values."""
_MANAGER = "kubecal"
_PREFIX = "error: "
_AWAY = re.compile(r"dial \S+ \S+.*?(?=;|$)|no such host|i/o timeout|was refused - did you specify.*", re.MULTILINE)
"""How it says that nobody is there; what stands around it is about validation, or schemas."""


def apply_files(files: Sequence[Path], place: Place, *, dry_run: bool) -> int:
    """Apply Chips and CalibrationSessions as the server's own apply does; the exit code."""
    return answer(Form.TABLE, lambda screen: _checked_and_applied(screen, files, place, dry_run=dry_run))


def _checked_and_applied(screen: Screen, files: Sequence[Path], place: Place, *, dry_run: bool) -> int:
    load_manifests(files)
    if place.where is Where.LOCAL:
        raise NotDoneError(
            "apply hands manifests to a cluster, and this computer has none that goes on by itself: "
            "run them here with kubecal run, or say which cluster with --cluster, --context or -n"
        )
    _apply(screen, _objects(files), place, dry_run=dry_run)
    return ExitCode.DONE


def _apply(screen: Screen, items: Sequence[Object], place: Place, *, dry_run: bool) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise NotDoneError("kubectl is not installed: clusters are asked through it")
    objects = {"apiVersion": "v1", "kind": "List", "items": list(items)}
    words = ["apply", "--server-side", f"--field-manager={_MANAGER}", "-f", "-"]
    words += ["--dry-run=server"] if dry_run else []
    words += ["--context", place.context] if place.context else []
    words += ["--namespace", place.namespace] if place.namespace else []
    done = subprocess.run([kubectl, *words], input=json.dumps(objects), capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        screen.say(line)
    if done.returncode:
        raise NotDoneError(_plain(done.stderr) or f"kubectl ended with {done.returncode}")


def _plain(said: str) -> str:
    """What kubectl says, without what it says of its own inside."""
    away = _AWAY.search(said)
    if away is not None:
        return f"the cluster does not answer ({away[0]}): check --context and your kubeconfig"
    return "\n".join(line.removeprefix(_PREFIX) for line in said.strip().splitlines())


def _objects(files: Sequence[Path]) -> list[Object]:
    """Chips first: a session that comes before its own is told to wait for it."""
    documents = [document for file in files for _, document in read_documents(file) if isinstance(document, dict)]
    return sorted(map(with_plain_names, documents), key=lambda one: one["kind"] != "Chip")
