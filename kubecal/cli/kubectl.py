"""Asking the operator through the user's own kubectl: contexts, certificates and login plugins then just work."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from urllib.parse import quote

_ERROR = re.compile(r"^(?:Error from server(?: \(\w+\))?|error): ?", re.IGNORECASE)
_LOG = re.compile(r"^[IWEF]\d{4} ")
"""How kubectl's own log lines begin."""
_ENDS = ("Error from server", "error:", "Unable to connect", "The connection to the server")
_STANDS_BY = re.compile(r"^replica \S+ stands by: \S+ leads$")
_REPLICAS_ASKED = 8
"""The Service gives any replica: of two, the one that leads is found in all but 0.4 % of cases."""


class NotAskedError(Exception):
    """The operator could not be asked; the message says why and what to do."""


class NoSuchSessionError(Exception):
    """It was asked, and knows no such session."""


@dataclass(frozen=True)
class Operator:
    """Where the operator is found."""

    context: str
    """Of the kubeconfig; empty: the current one."""
    namespace: str
    release: str
    """Name of the Helm release."""

    @property
    def service(self) -> str:
        """Its Service, named as the chart does."""
        return f"{self.release}-operator"[:63].rstrip("-")


def own_namespace(context: str) -> str:
    """The namespace that the kubeconfig's context names, as kubectl takes it."""
    code, out, said = _kubectl(context, "config", "view", "--minify", "--output", "jsonpath={..namespace}")
    if code:
        raise NotAskedError(_plain(said))
    return out.strip() or "default"


def ask(operator: Operator, namespace: str, session: str) -> str:
    """The operator's explanation of a session, as JSON.

    Raises
    ------
    NoSuchSessionError
        If the operator serves the namespace and has no such session, or does not serve it.
    NotAskedError
        If no answer was to be had.
    """
    place = f"/api/v1/namespaces/{quote(operator.namespace, '')}/services/{quote(operator.service, '')}:http/proxy"
    path = f"{place}/explain/{quote(namespace, '')}/{quote(session, '')}"
    text = ""
    for _ in range(_REPLICAS_ASKED):
        code, out, said = _kubectl(operator.context, "get", "--raw", path)
        if code == 0:
            return out
        text = _plain(said)
        if not _STANDS_BY.match(text):
            break
    if text.startswith(("there is no CalibrationSession", "this operator does not serve")):
        raise NoSuchSessionError(text)
    raise NotAskedError(_with_what_to_do(text, operator))


def _with_what_to_do(text: str, operator: Operator) -> str:
    where = f"namespace {operator.namespace!r}"
    if text.startswith("services ") and text.endswith("not found"):
        return (
            f"there is no operator in {where} (no Service {operator.service!r}): "
            "say where it is with --operator-namespace and --release"
        )
    if "no endpoints available" in text:
        return f"the operator in {where} is not ready: see kubectl get pods -n {operator.namespace}"
    if "is forbidden" in text:
        return f"you may not ask the operator: you need the right to get services/proxy in {where} ({text})"
    if "could not find the requested resource" in text:
        return f"the operator in {where} explains nothing yet: upgrade it"
    if "error trying to reach service" in text:
        return f"the operator in {where} does not answer the API server: {text}"
    return text


def _kubectl(context: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, and the error that kubectl ends with."""
    program = shutil.which("kubectl")
    if program is None:
        raise NotAskedError("kubectl is not found in the PATH: kubecal asks the cluster through it; install it")
    chosen = [f"--context={context}"] if context else []
    command = [program, *chosen, *arguments]
    # A file: two pipes that are read one after the other would block each other.
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        with subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE, text=True) as process:
            said = _error_of(process)
        out.seek(0)
        return process.returncode, out.read(), said


def _error_of(process: subprocess.Popen[str]) -> str:
    """What it says at its end. What a login plugin says before, like a code to type in, is passed on at once."""
    last = ""
    for line in process.stderr or ():
        if line.startswith(_ENDS):
            last = line
        elif not _LOG.match(line):
            print(line, end="", file=sys.stderr, flush=True)
    return last


def _plain(said: str) -> str:
    return _ERROR.sub("", said.strip()) or "kubectl failed: what it said stands above"
