"""What goes wrong, said as the API server says it: a status, a reason and a sentence. Classified once, here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from kubecal.api.failure import failure
from kubecal.reading.records import NotRecordedError, RecordsError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

AT_ONCE = 8
"""Questions that are put to the database at a time, whoever asks."""
WAITING = 64
"""Questions that wait for their turn; more are sent away."""


class BadQuestionError(Exception):
    """The question makes no sense; the message says what to ask instead."""


def refusal(code: int, reason: str, message: str, **headers: str) -> web.Response:
    """An answer that is none."""
    return web.json_response(failure(code, reason, message), status=code, headers=headers)


@web.middleware
async def in_words(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever is raised into a sentence."""
    try:
        return await handler(request)
    except BadQuestionError as error:
        return refusal(400, "BadRequest", str(error))
    except NotRecordedError as error:
        return refusal(404, "NotFound", str(error))
    except RecordsError as error:
        return refusal(503, "ServiceUnavailable", str(error))
    except web.HTTPMethodNotAllowed as error:
        message = f"kubecal-api only reads ({', '.join(sorted(error.allowed_methods))}): a session changes records"
        return refusal(405, "MethodNotAllowed", message, Allow=", ".join(sorted(error.allowed_methods)))
    except web.HTTPNotFound:
        message = f"kubecal-api has nothing at {request.path}: is it older than the kubecal that asks?"
        return refusal(404, "NotFound", message)
    except web.HTTPException as error:
        return refusal(error.status, "BadRequest", error.reason)
    except Exception:
        logging.exception("%s %s", request.method, request.path_qs)
        return refusal(500, "InternalError", "kubecal-api made a mistake: its log has the trace; please report it")


class Turns:
    """Lets few questions at a time to the database, and sends away those that would wait for too many."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    def of(self, handler: Handler) -> Handler:
        """A handler that takes its turn."""

        async def take(request: web.Request) -> web.StreamResponse:
            if self._waiting >= WAITING:
                message = f"{WAITING} questions wait already: ask again in a few seconds"
                return refusal(503, "ServiceUnavailable", message, **{"Retry-After": "2"})
            self._waiting += 1
            try:
                await self._turns.acquire()
            finally:
                self._waiting -= 1
            try:
                return await handler(request)
            finally:
                self._turns.release()

        return take
