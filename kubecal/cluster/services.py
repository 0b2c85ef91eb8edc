"""Our own services, asked through the API server's proxy: who may ``get services/proxy`` on one may ask it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import StreamReader

from kubecal.cluster.api import ApiServer, Refusal
from kubecal.lab.lab import LabError


class NotAskedError(LabError):
    """A service could not be asked; the message says why and what to do."""


@dataclass(frozen=True)
class Service:
    """One of our services, in words as well."""

    api: ApiServer
    namespace: str
    release: str
    """Name of the Helm release."""
    part: str
    """``operator`` or ``api``: the end of its name, as the chart gives it."""

    @property
    def name(self) -> str:
        """Of its Service."""
        return f"{self.release}-{self.part}"[:63].rstrip("-")

    @property
    def what(self) -> str:
        """What people know it as."""
        return "the operator" if self.part == "operator" else "kubecal-api"

    async def get(self, path: str, **query: str) -> bytes:
        """Its answer.

        Raises
        ------
        Refusal
            If it says no; the sentence is its own.
        NotAskedError
            If no answer was to be had.
        """
        try:
            return await self.api.get(self._path(path), **query)
        except Refusal as refusal:
            raise self._meant(refusal) from refusal

    @contextlib.asynccontextmanager
    async def stream(self, path: str, **query: str) -> AsyncIterator[StreamReader]:
        """A long answer, to be read as it comes."""
        try:
            async with self.api.stream(self._path(path), **query) as stream:
                yield stream
        except Refusal as refusal:
            raise self._meant(refusal) from refusal

    def _path(self, path: str) -> str:
        place = f"/api/v1/namespaces/{quote(self.namespace, '')}/services/{quote(self.name, '')}:http/proxy"
        return f"{place}/{path}"

    def _meant(self, refusal: Refusal) -> Exception:
        """The service's own word, or why it could not be asked."""
        text, where = refusal.message, f"namespace {self.namespace!r}"
        if text.startswith("services ") and text.endswith("not found"):
            missing = "say where kubecal is with --operator-namespace and --release"
            if self.part == "api":
                missing += ", or upgrade it: it comes with the chart"
            return NotAskedError(f"there is no {self._bare} in {where} (no Service {self.name!r}): {missing}")
        if "no endpoints available" in text:
            return NotAskedError(f"{self.what} in {where} is not ready: see kubectl get pods -n {self.namespace}")
        if refusal.status == 403:
            return NotAskedError(
                f"you may not ask {self.what}: you need the right to get services/proxy in {where}, which the "
                f"ClusterRole kubecal-viewer gives there ({text})"
            )
        if "could not find the requested resource" in text or (refusal.status == 404 and not refusal.reason):
            return NotAskedError(f"{self.what} in {where} does not know this question: upgrade it")
        if "error trying to reach service" in text:
            return NotAskedError(f"{self.what} in {where} does not answer the API server: {text}")
        return refusal

    @property
    def _bare(self) -> str:
        return self.what.removeprefix("the ")
