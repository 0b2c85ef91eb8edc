"""Verbs that look: at sessions, chips, executions, results and why things do not go on."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from kubecal.cli.declaring import LOOK, verb, verbs

app = verbs()

_EXPLAIN_EXIT_CODES = """\b
Exit codes:
  0      explained
  1      there is no such session
  2      the operator could not be asked; the message says what to do

The operator is asked through kubectl, with your kubeconfig: you need the right
to get services/proxy in its namespace. Sessions of kubecal run have no operator:
this command is for those on a cluster."""


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    JSON = "json"


@verb(app, LOOK, epilog=_EXPLAIN_EXIT_CODES)
def explain(
    session: Annotated[str, typer.Argument(help="Name of a CalibrationSession.")],
    namespace: Annotated[
        str, typer.Option("--namespace", "-n", help="Its namespace; default: the one of the kubeconfig's context.")
    ] = "",
    output: Annotated[Format, typer.Option("--output", "-o", help="How to write it.")] = Format.TABLE,
    context: Annotated[str, typer.Option(help="Context of the kubeconfig; default: the current one.")] = "",
    operator_namespace: Annotated[str, typer.Option(help="Where the operator is installed.")] = "kubecal",
    release: Annotated[str, typer.Option(help="Name of the operator's Helm release.")] = "kubecal",
) -> None:
    """Say of every task that does not run, why."""
    from kubecal.cli.explain import explain_session
    from kubecal.cli.kubectl import Operator

    operator = Operator(context, operator_namespace, release)
    raise typer.Exit(explain_session(session, namespace, operator, as_json=output is Format.JSON))
