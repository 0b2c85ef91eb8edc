"""What a failing MongoDB means, said in a sentence and classified once, here."""

from __future__ import annotations

from enum import StrEnum

from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ClientBulkWriteException,
    ConfigurationError,
    ConnectionFailure,
    InvalidOperation,
    InvalidURI,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WTimeoutError,
)

OLDEST_WIRE_VERSION = 25
"""MongoDB 8.0, the first with the client-level bulkWrite that ends an attempt in one round trip."""

_UNAUTHORISED = {13: "it asks for a user name and password", 18: "user name or password are wrong", 8000: "it said so"}
DUPLICATE_KEY = 11000
"""Server's code for a key that is taken."""
_WRITE_CONFLICT, _LOCK_TIMEOUT = 112, 24
_TRANSACTIONS_NEED_REPLICA_SET = 20
# InternalError, UnknownError, FileStreamFailed, OutOfDiskSpace: nothing that another operation would do better.
_CANNOT_WRITE = frozenset({1, 8, 39, 14031})
# Shutting down, stepping down, electing, starting up: the same sentence as for a server that is away.
_PASSING = frozenset({6, 7, 50, 89, 91, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436})


class Unusable(StrEnum):
    """Why MongoDB cannot be used; the reason of condition ResultsStored=False."""

    UNREACHABLE = "Unreachable"
    REFUSED = "Refused"
    TOO_OLD = "TooOld"
    NOT_REPLICA_SET = "NotReplicaSet"
    LOCKED = "Locked"
    """It answers, but the documents in question are held by somebody else's transaction."""


class RecordsUnavailable(Exception):  # noqa: N818 - a state of the world that passes, not a bug
    """MongoDB cannot be used now; nothing may be concluded from what it did not say."""

    def __init__(self, reason: Unusable, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def locked(where: str) -> RecordsUnavailable:
    """Somebody else's open transaction is in the way: one that was cut off stays open until the server ends it."""
    return RecordsUnavailable(
        Unusable.LOCKED,
        f"MongoDB at {where} answers, but a transaction of another process, perhaps a killed one, holds these records: "
        "the server ends it after a minute (transactionLifetimeLimitSeconds); until then it is tried again",
    )


def is_conflict(error: PyMongoError) -> bool:
    """Whether another transaction was in the way of this operation."""
    return isinstance(error, OperationFailure) and error.code in (_WRITE_CONFLICT, _LOCK_TIMEOUT)


def judge_server(wire_version: int, replica_set: str | None, where: str) -> RecordsUnavailable | None:
    """Whether a server is one we can work with.

    Parameters
    ----------
    wire_version
        ``maxWireVersion`` of its greeting.
    replica_set
        ``setName`` of its greeting; None or empty: it is none.
    where
        The servers' addresses without credentials, for the message.
    """
    if wire_version < OLDEST_WIRE_VERSION:
        return RecordsUnavailable(
            Unusable.TOO_OLD, f"MongoDB at {where} is older than 8.0: upgrade it, or point the URI at a newer one"
        )
    if not replica_set:
        return RecordsUnavailable(
            Unusable.NOT_REPLICA_SET,
            f"MongoDB at {where} is not a replica set, and only those have transactions: "
            "start it with --replSet (one member is enough) and run rs.initiate()",
        )
    return None


def unwrap(error: PyMongoError) -> PyMongoError:
    """The error inside a bulk write's error, where there is one that speaks of the whole command.

    A write conflict within a transaction is wrapped, and without its label the driver would not run the
    transaction again.
    """
    if isinstance(error, ClientBulkWriteException):
        inner = error.error
        if isinstance(inner, PyMongoError):
            return inner
    if isinstance(error, ClientBulkWriteException | BulkWriteError) and _WRITE_CONFLICT in write_error_codes(error):
        conflict = OperationFailure("write conflict", _WRITE_CONFLICT)
        conflict._add_error_label("TransientTransactionError")
        return conflict
    return error


def write_error_codes(error: PyMongoError) -> dict[int, int]:
    """The single writes of a bulk write that failed: server's error code to the write's index."""
    if isinstance(error, ClientBulkWriteException):
        return {int(each["code"]): int(each["idx"]) for each in error.details.get("writeErrors", ())}
    if isinstance(error, BulkWriteError):
        return {int(each["code"]): int(each["index"]) for each in error.details.get("writeErrors", ())}
    return {}


def duplicate_at(error: PyMongoError) -> int | None:
    """Index of the write of a bulk write that met a key which is taken; None: it was something else."""
    return write_error_codes(error).get(DUPLICATE_KEY)


def classify(error: PyMongoError, where: str) -> RecordsUnavailable | None:
    """What an error says about the server as a whole; None: it speaks of one operation, and is ours to handle."""
    error = unwrap(error)
    if isinstance(error, InvalidURI):
        return RecordsUnavailable(Unusable.UNREACHABLE, f"the MongoDB URI cannot be read: {error}: correct it")
    if isinstance(error, ConfigurationError):
        return _configuration(error, where)
    if isinstance(error, ServerSelectionTimeoutError) and "uthentication failed" in str(error):
        return _refused(18, where)
    if isinstance(error, OperationFailure) and error.code in _UNAUTHORISED:
        return _refused(error.code or 18, where)
    if is_conflict(error):
        return locked(where)
    if isinstance(error, OperationFailure) and error.code == _TRANSACTIONS_NEED_REPLICA_SET:
        return judge_server(OLDEST_WIRE_VERSION, None, where)
    if isinstance(error, InvalidOperation) and "after close" in str(error):
        return RecordsUnavailable(Unusable.UNREACHABLE, f"the connection to MongoDB at {where} was just renewed")
    if isinstance(error, OperationFailure) and error.code in _CANNOT_WRITE:
        detail = " ".join(str(error.details.get("errmsg", error) if error.details else error).split())[:300]
        return RecordsUnavailable(
            Unusable.REFUSED, f"MongoDB at {where} cannot work, look at its disk and its log: {detail}"
        )
    passing = isinstance(error, OperationFailure) and error.code in _PASSING
    if (
        passing
        or error.timeout
        or isinstance(error, ConnectionFailure | AutoReconnect | NetworkTimeout | WTimeoutError)
    ):
        detail = " ".join(str(error).split(", Timeout:")[0].split())[:300]
        return RecordsUnavailable(Unusable.UNREACHABLE, f"MongoDB at {where} does not answer: {detail}")
    return None


def _refused(code: int, where: str) -> RecordsUnavailable:
    return RecordsUnavailable(
        Unusable.REFUSED, f"MongoDB at {where} refuses us, {_UNAUTHORISED[code]}: correct the URI's credentials"
    )


def _configuration(error: ConfigurationError, where: str) -> RecordsUnavailable:
    if "wire version" in str(error):
        return RecordsUnavailable(
            Unusable.TOO_OLD, f"MongoDB at {where} is older than 8.0: upgrade it, or point the URI at a newer one"
        )
    return RecordsUnavailable(Unusable.UNREACHABLE, f"the MongoDB URI cannot be used: {error}: correct it")
