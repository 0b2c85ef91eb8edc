import pytest
from pymongo.errors import (
    AutoReconnect,
    ConfigurationError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from kubecal.records.failures import Unusable, classify, judge_server


@pytest.mark.parametrize(
    ("wire_version", "replica_set", "expected"),
    [
        (25, "rs0", None),
        (27, "rs0", None),
        (21, "rs0", Unusable.TOO_OLD),
        (0, None, Unusable.TOO_OLD),
        (25, None, Unusable.NOT_REPLICA_SET),
        (25, "", Unusable.NOT_REPLICA_SET),
    ],
)
def test_a_server_is_judged_by_its_greeting(
    wire_version: int, replica_set: str | None, expected: Unusable | None
) -> None:
    unusable = judge_server(wire_version, replica_set, "db:27017")

    assert (unusable.reason if unusable else None) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerSelectionTimeoutError("db:27017: [Errno 111] Connection refused, Timeout: 3.0s"), Unusable.UNREACHABLE),
        (AutoReconnect("connection closed"), Unusable.UNREACHABLE),
        (ExecutionTimeout("operation exceeded time limit", 50), Unusable.UNREACHABLE),
        (OperationFailure("shutdown in progress", 91), Unusable.UNREACHABLE),
        (OperationFailure("not primary", 10107), Unusable.UNREACHABLE),
        (InvalidURI("Invalid URI scheme"), Unusable.UNREACHABLE),
        (OperationFailure("Authentication failed.", 18), Unusable.REFUSED),
        (OperationFailure("Command find requires authentication", 13), Unusable.REFUSED),
        (ConfigurationError("Server at db:27017 reports wire version 7, but this needs 8"), Unusable.TOO_OLD),
        (OperationFailure("Transaction numbers are only allowed on a replica set", 20), Unusable.NOT_REPLICA_SET),
        (DuplicateKeyError("E11000 duplicate key error"), None),
        (OperationFailure("unknown operator: $foo", 2), None),
    ],
)
def test_an_error_is_about_the_server_or_about_one_operation(error: PyMongoError, expected: Unusable | None) -> None:
    unusable = classify(error, "db:27017")

    assert (unusable.reason if unusable else None) == expected


@pytest.mark.parametrize("reason", [18, 13])
def test_a_refusal_says_where_and_what_to_correct(reason: int) -> None:
    unusable = classify(OperationFailure("no", reason), "db:27017")

    assert unusable is not None
    assert unusable.message.startswith("MongoDB at db:27017 refuses us")
    assert unusable.message.endswith("correct the URI's credentials")
