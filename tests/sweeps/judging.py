"""What has to come out of a session that was disturbed, cancelled, or met a stranger's pod."""

from __future__ import annotations

from dataclasses import dataclass

from tests.sweeps.scenario import Json, Scenario, differences, outcome, rows_of

_ENDED = ("succeeded", "failed", "skipped", "cancelled")


@dataclass(frozen=True)
class Expected:
    """A scenario, and what came of it undisturbed."""

    scenario: Scenario
    outcome: Json


@dataclass(frozen=True)
class Seen:
    """What one case left behind."""

    status: Json | None
    """The session's last status; None: it was gone before anybody looked."""
    documents: dict[str, list[Json]]
    problems: list[str]
    """What must not be, whatever the disturbance was."""
    seconds: float


def as_undisturbed(expected: Expected, seen: Seen) -> list[str]:
    """Everything is as in the run that nobody disturbed."""
    if seen.status is None:
        return []
    return differences(expected.outcome, outcome(seen.status, seen.documents))


def as_cancelled(expected: Expected, seen: Seen, whole: frozenset[str]) -> list[str]:
    """What had ended stays as it was, all else is cancelled, and nothing is published that was not completed.

    Parameters
    ----------
    whole
        What the execution may be where every task came out as in the undisturbed session: ``cancelled`` if that was
        asked for before the last of them had ended, ``completed`` if after, both while nobody can tell.
    """
    scenario = expected.scenario
    rows = rows_of(seen.documents["task_result_history"])
    found = [
        f"row {key} is {row}, neither cancelled nor {scenario.rows.get(key)}"
        for key, row in rows.items()
        if row[0] not in ("cancelled", "skipped") and row != scenario.rows.get(key)
    ]
    executions = seen.documents["execution_history"]
    if rows and len(executions) != 1:
        found.append(f"{len(executions)} executions")
    for execution in executions:
        allowed = whole if rows == scenario.rows else frozenset({"cancelled"})
        if execution["status"] not in allowed:
            found.append(f"the execution is {execution['status']}, and its rows say {' or '.join(sorted(allowed))}")
        if sum(execution["counts"].get(key, 0) for key in _ENDED) != scenario.counts["planned"]:
            found.append(f"the counts of the record do not add up: {execution['counts']}")
        found += _told_otherwise(seen.status, execution)
    wanted = sorted(
        (task, one)
        for (task, qid, _), row in rows.items()
        if row[0] == "completed" and task in scenario.publishes
        for one in scenario.publishes[task] or (qid,)
    )
    published = sorted((one["task_name"], one["qid"]) for one in seen.documents["parameter_versions"])
    if published != wanted:
        found.append(f"published are {published}, completed {wanted}")
    return found


def _told_otherwise(status: Json | None, execution: Json) -> list[str]:
    """In what the session's last status and its record differ."""
    if not status or "tasks" not in status:
        return []
    tasks, found = status["tasks"], []
    if tasks["running"] or tasks["planned"] != sum(tasks[key] for key in _ENDED):
        found.append(f"the counts of the status do not add up: {tasks}")
    if (status["phase"] == "Cancelled") != (execution["status"] == "cancelled"):
        found.append(f"the status says {status['phase']}, the record {execution['status']}")
    return found


def as_with_a_stranger(expected: Expected, seen: Seen) -> list[str]:
    """Because of a stranger's pod that task fails, and says so, and all others go on.

    What is about no target comes after all of them, and not at all where too few are left for a step before it.
    """
    if seen.status is None:
        return []
    rows = seen.documents["task_result_history"]
    # Where no target is left the session fails with this reason, and what is skipped then repeats it.
    refused = [row for row in rows if row["status"] == "failed" and "NameTaken" in row["message"]]
    attempts = {(row["name"], row["target"], row["attempt"]) for row in refused}
    if len(attempts) != 1:
        return [f"{len(attempts)} attempts say NameTaken: {attempts}"]
    wanted, concerned = expected.scenario.rows, {qubit for row in refused for qubit in row["qid"].split("-")}
    return [
        f"row {key} of another target is {row} instead of {wanted.get(key)}"
        for key, row in rows_of(rows).items()
        if not concerned & set(key[1].split("-")) and row != wanted.get(key) and (key[1] or row[0] != "skipped")
    ]
