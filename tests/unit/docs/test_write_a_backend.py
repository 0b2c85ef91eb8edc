"""The guide's example backend drives a box: here a simulated chip that listens on a port and speaks its lines."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from kubecal.api.request import TaskRequest, Verdict
from kubecal.records.results import InputOffers
from kubecal_tasks.backends.base import BackendError, BackendUnusable, InstrumentError
from kubecal_tasks.backends.registry import open_backend
from kubecal_tasks.framework.attempt import prepare_attempt
from kubecal_tasks.framework.export import installed_catalogue
from kubecal_tasks.framework.reports import Judged, Report
from kubecal_tasks.programs.document import program_from_dict
from tests.documents import blocks
from tests.unit.kubecal_tasks.tasks.chip import chip

pytestmark = pytest.mark.usefixtures("mylab")


class _Box(socketserver.ThreadingTCPServer):
    """A box whose lines lead to a simulated chip."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Lines)
        self.heard: list[str] = []
        self.broken = False
        self.backend = open_backend(_request("fake", {"seed": 3, "drift": False}))
        self.backend.connect()


class _Lines(socketserver.StreamRequestHandler):
    """One connection."""

    def handle(self) -> None:
        """A line in, a line out, until the other side has gone."""
        for line in self.rfile:
            asked = json.loads(line)
            self.server.heard.append(asked["verb"])
            try:
                answer = self._answer(asked)
            except BackendError as error:
                answer = {"error": str(error)}
            self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        backend = self.server.backend
        match asked["verb"]:
            case "configure":
                backend.configure(asked["targets"])
            case "noise":
                return {"levels_db": dict(backend.noise())}
            case "run" if self.server.broken:
                return {"error": "no clock"}
            case "run":
                data = backend.run(program_from_dict(asked["program"]))
                covariance = None if data.covariance is None else data.covariance.tolist()
                arrays = {"iq": data.iq.tolist(), "covariance": covariance, "clipped": data.clipped.tolist()}
                return {**arrays, "duration_s": data.duration_s, "times_s": None}
        return {"ok": True}


def _request(backend: str, config: dict[str, Any], task: str = "CheckRabi") -> TaskRequest:
    """About qubit 0, with the design values that a Chip would have."""
    loop = chip()
    loop.design = {"0": {name: {"value": one.value, "error": one.error} for name, one in loop.design_of("0").items()}}
    request = loop.request(task, "0", {}, 0)
    return request.model_copy(
        update={
            "catalogue_hash": installed_catalogue().hash,
            "chip": request.chip.model_copy(update={"backend": backend, "backend_config": config}),
        }
    )


@pytest.fixture
def box() -> Iterator[_Box]:
    with _Box() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _judged(request: TaskRequest) -> Judged:
    reports: list[Report] = []
    prepare_attempt(request, reports.append, figures=False).run({"0": InputOffers()})
    return next(one for one in reports if isinstance(one, Judged))


def test_a_task_measures_through_the_box(box: _Box) -> None:
    judged = _judged(_request("box", {"host": "127.0.0.1", "port": box.server_address[1]}))
    assert (judged.verdict, judged.message) == (Verdict.OK, "")
    assert box.heard == ["configure", "run"]


def test_what_is_broken_off_is_parked(box: _Box) -> None:
    box.broken = True
    judged = _judged(_request("box", {"host": "127.0.0.1", "port": box.server_address[1]}))
    assert judged.verdict is Verdict.HARDWARE_ERROR
    assert judged.message.endswith("says: no clock")
    assert box.heard == ["configure", "run", "park"]


def test_it_is_in_the_catalogue_with_its_settings() -> None:
    entry = installed_catalogue().backend_by_name["box"]
    assert set(entry.config_schema["properties"]) == {"host", "port", "seconds"}
    assert not entry.simulated


def test_a_box_that_is_off_is_a_hardware_error() -> None:
    judged = _judged(_request("box", {"host": "127.0.0.1", "port": 1, "seconds": 1}))
    assert judged.verdict is Verdict.HARDWARE_ERROR
    assert "the box at 127.0.0.1:1 cannot be reached" in judged.message


def test_what_the_box_refuses_is_said(box: _Box) -> None:
    backend = open_backend(_request("box", {"host": "127.0.0.1", "port": box.server_address[1]}))
    backend.connect()
    with pytest.raises(InstrumentError, match=r"says: .*9"):
        backend.configure(["9"])
    backend.park()
    backend.disconnect()


def test_a_setting_that_it_does_not_know_is_named() -> None:
    with pytest.raises(BackendUnusable, match=r"backend\.config\.hots"):
        open_backend(_request("box", {"host": "127.0.0.1", "hots": 1}))


def test_it_may_be_parked_and_left_before_it_was_connected() -> None:
    backend = open_backend(_request("box", {"host": "127.0.0.1"}))
    backend.park()
    backend.disconnect()


def test_every_verb_is_quoted_in_the_guide() -> None:
    quoted = "".join(block.text for block in blocks("python") if block.page == "write-a-backend.md")
    verbs = ("capabilities", "design", "connect", "configure", "status", "noise", "dump", "run", "park", "disconnect")
    assert [verb for verb in verbs if f"def {verb}(" not in quoted] == []
