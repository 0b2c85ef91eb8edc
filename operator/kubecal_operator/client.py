"""A thin client of the API server, for what kopf does not do: pods, status, Leases, Events.

Credentials come from kopf's login, so both speak to the server alike. Every mutating call carries ``?timeout=``,
so that the server gives up no later than we do: an unknown outcome is known after that time.
"""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import kopf

from kubecal_operator.errors import ApiError, error_of

_LOG = logging.getLogger(__name__)
Json = dict[str, Any]
"""A Kubernetes object as it travels; Any: any JSON."""

MUTATION_TIMEOUT_S = 5
"""Below the Lease's renewal, so that a deposed leader's last write has ended before the next one's first."""
_WATCH_S = 290
_PAGE = 500


class ApiClient:
    """One connection pool to the API server."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None
        self._info: kopf.ConnectionInfo | None = None

    async def close(self) -> None:
        """Close the pool."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def get(self, path: str, **query: str) -> Json:
        """GET an object or list."""
        return await self._call("GET", path, query=query)

    async def create(self, path: str, body: Json) -> Json:
        """POST an object."""
        return await self._call("POST", path, body=body, query={"timeout": f"{MUTATION_TIMEOUT_S}s"})

    async def merge(self, path: str, body: Json) -> Json:
        """PATCH with a JSON merge patch."""
        content = "application/merge-patch+json"
        return await self._call("PATCH", path, body=body, content=content, query={"timeout": f"{MUTATION_TIMEOUT_S}s"})

    async def replace(self, path: str, body: Json) -> Json:
        """PUT an object."""
        return await self._call("PUT", path, body=body, query={"timeout": f"{MUTATION_TIMEOUT_S}s"})

    async def delete(self, path: str, body: Json) -> Json:
        """DELETE with preconditions."""
        return await self._call("DELETE", path, body=body, query={"timeout": f"{MUTATION_TIMEOUT_S}s"})

    async def text(self, path: str, **query: str) -> str:
        """GET something that is not JSON, such as a log."""
        async with self._request("GET", path, query, None, "application/json") as answer:
            text: str = await answer.text(errors="replace")
            if answer.status >= 400:
                raise error_of(answer.status, text, answer.headers.get("Retry-After"))
            return text

    async def list_all(self, path: str, **query: str) -> tuple[list[Json], str]:
        """Every item of a list, page by page, and the version to watch from."""
        items: list[Json] = []
        token = ""
        while True:
            page = await self.get(path, limit=str(_PAGE), **({"continue": token} if token else {}), **query)
            items += page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return items, page["metadata"]["resourceVersion"]

    async def watch(self, path: str, version: str, **query: str) -> AsyncIterator[Json]:
        """Events from a version on, until the server ends the watch.

        Lines are put together here: a pod with a large request is longer than aiohttp's own line limit.

        Raises
        ------
        ApiError
            With status 410 if the version is too old: list again.
        """
        query = {**query, "watch": "1", "resourceVersion": version, "allowWatchBookmarks": "true"}
        query["timeoutSeconds"] = str(_WATCH_S)
        timeout = aiohttp.ClientTimeout(total=None, sock_read=_WATCH_S + 30)
        try:
            async with self._request("GET", path, query, None, "application/json", timeout) as answer:
                if answer.status >= 400:
                    raise error_of(answer.status, await answer.text(), answer.headers.get("Retry-After"))
                rest = b""
                async for chunk in answer.content.iter_any():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in filter(None, lines):
                        event: Json = json.loads(line)
                        if event["type"] == "ERROR":
                            status = event["object"]
                            raise ApiError(int(status.get("code", 500)), str(status.get("message", "")))
                        yield event
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"the API server's watch broke off: {error}") from error

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str],
        body: Json | None = None,
        content: str = "application/json",
    ) -> Json:
        try:
            async with self._request(method, path, query, body, content) as answer:
                text = await answer.text()
                if answer.status == 401:
                    await self._forget_login()
                if answer.status >= 400:
                    raise error_of(answer.status, text, answer.headers.get("Retry-After"))
                parsed: Json = json.loads(text)
                return parsed
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ApiError(0, f"the API server did not answer {method} {path}: {error or 'timeout'}") from error

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Json | None,
        content: str,
        timeout: aiohttp.ClientTimeout | None = None,
    ) -> Any:  # aiohttp's request context manager has no public name
        session, info = self._connected()
        headers = {"Content-Type": content} if body is not None else {}
        token = _token(info)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return session.request(
            method,
            info.server.rstrip("/") + path,
            params=dict(query),
            data=None if body is None else json.dumps(body, separators=(",", ":")),
            headers=headers,
            timeout=timeout or aiohttp.ClientTimeout(total=MUTATION_TIMEOUT_S + 2),
        )

    def _connected(self) -> tuple[aiohttp.ClientSession, kopf.ConnectionInfo]:
        if self._session is None or self._info is None:
            info = login(kopf.OperatorSettings())
            connector = aiohttp.TCPConnector(limit=100, ssl=_ssl(info))
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": "kubecal-operator"})
            self._info = info
        return self._session, self._info

    async def _forget_login(self) -> None:
        """Credentials that were refused are read anew at the next call."""
        await self.close()
        self._info = None


def login(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    """Credentials as kopf finds them: the service account's in a cluster, else the kubeconfig's.

    Raises
    ------
    ApiError
        If there are none.
    """
    info = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(settings=settings)
    if info is None:
        raise ApiError(401, "there are no credentials for a cluster: set KUBECONFIG, or run in a pod")
    return info


_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def _token(info: kopf.ConnectionInfo) -> str | None:
    """The bearer token; a mounted one is rotated by the kubelet, so the file is read each time."""
    if info.token and _SERVICE_ACCOUNT_TOKEN.exists():
        return _SERVICE_ACCOUNT_TOKEN.read_text().strip()
    return info.token


def _ssl(info: kopf.ConnectionInfo) -> ssl.SSLContext:
    context = ssl.create_default_context(
        cafile=str(info.ca_path) if info.ca_path else None, cadata=_pem(info.ca_data) if info.ca_data else None
    )
    if info.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if info.certificate_path and info.private_key_path:
        context.load_cert_chain(str(info.certificate_path), str(info.private_key_path))
    elif info.certificate_data and info.private_key_data:
        _load_from_data(context, info)
    return context


def _pem(data: bytes | str) -> str:
    import base64

    text = data.decode() if isinstance(data, bytes) else data
    return text if "BEGIN" in text else base64.b64decode(text).decode()


def _load_from_data(context: ssl.SSLContext, info: kopf.ConnectionInfo) -> None:
    """The ssl module takes client certificates from files only."""
    import tempfile

    with tempfile.NamedTemporaryFile("w") as certificate, tempfile.NamedTemporaryFile("w") as key:
        certificate.write(_pem(info.certificate_data or ""))
        key.write(_pem(info.private_key_data or ""))
        certificate.flush()
        key.flush()
        context.load_cert_chain(certificate.name, key.name)
