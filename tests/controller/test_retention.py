"""The chart's CronJob that removes old raw data: what an API server makes of it, and what its pod does."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.binaries import installed
from tests.cluster.process import run
from tests.controller.lab import ROOT, Lab

Json = dict[str, Any]
_PROGRAM = Path(sys.executable).parent / "kubecal-operator"
_RELEASE = "a-release-whose-name-is-as-long-as-helm-lets-it-be-53"


def test_raw_data_is_kept_for_ever_unless_the_values_say_how_long() -> None:
    assert [each["kind"] for each in _rendered()].count("CronJob") == 0
    assert [each["kind"] for each in _rendered("records.rawRetentionDays=1")].count("CronJob") == 1


def test_the_job_reads_the_uri_as_the_operator_does() -> None:
    rendered = {each["kind"]: each for each in _rendered("records.rawRetentionDays=30")}
    job, operator = _pod_of(rendered["CronJob"]["spec"]["jobTemplate"]), _pod_of(rendered["Deployment"])
    assert job["volumes"] == operator["volumes"][:1]
    assert job["securityContext"] == operator["securityContext"]
    (container,), (other,) = job["containers"], operator["containers"]
    assert container["image"] == other["image"]
    assert container["volumeMounts"] == other["volumeMounts"][:1]
    assert container["securityContext"] == other["securityContext"]


async def test_an_api_server_takes_the_cronjob_and_the_strictest_level_its_pod(lab: Lab) -> None:
    cronjob = _cronjob("records.rawRetentionDays=30", namespace=lab.namespace)
    pod: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "prune", "namespace": lab.namespace},
        "spec": _pod_of(cronjob["spec"]["jobTemplate"]),
    }
    for body in (cronjob, pod):
        told = lab.control_plane.kubectl(
            "create", "--dry-run=server", "-o", "json", "-f", "-", given=yaml.safe_dump(body)
        )
        assert json.loads(told)["metadata"]["name"] == body["metadata"]["name"]
    assert len(cronjob["metadata"]["name"]) <= 52


async def test_the_pod_s_command_says_what_it_removed(mongodb_uri: str, tmp_path: Path) -> None:
    (tmp_path / "uri").write_text(mongodb_uri)
    environment = _environment(_cronjob("records.rawRetentionDays=30"))
    code, said, _ = await _prune({**environment, "KUBECAL_MONGODB_URI_FILE": str(tmp_path / "uri")})
    days = [f"{datetime.now(UTC) - timedelta(days=30, seconds=seconds):%Y-%m-%d}" for seconds in (0, 60)]
    assert code == 0
    assert said in [f"removed 0 files, 0 KiB, of attempts that ended before {day}\n" for day in days]


async def test_the_pod_s_command_says_why_it_cannot(tmp_path: Path) -> None:
    environment = _environment(_cronjob("records.rawRetentionDays=30"))
    uri = tmp_path / "uri"
    code, _, told = await _prune({**environment, "KUBECAL_MONGODB_URI_FILE": str(uri)})
    assert code == 1
    assert told.startswith("kubecal-operator: ")
    assert str(uri) in told
    assert "Traceback" not in told


def _rendered(*values: str, namespace: str = "kubecal") -> list[Json]:
    words: list[str | Path] = ["template", _RELEASE, ROOT / "charts" / "kubecal", "--namespace", namespace]
    for value in ("mongodb.existingSecret=mongodb", *values):
        words += ["--set", value]
    return [each for each in yaml.safe_load_all(run([installed("helm"), *words])) if each]


def _cronjob(*values: str, namespace: str = "kubecal") -> Json:
    (cronjob,) = [each for each in _rendered(*values, namespace=namespace) if each["kind"] == "CronJob"]
    return cronjob


def _pod_of(owner: Json) -> Json:
    while "template" in owner["spec"]:
        owner = owner["spec"]["template"]
    spec: Json = owner["spec"]
    return spec


def _environment(cronjob: Json) -> dict[str, str]:
    (container,) = _pod_of(cronjob["spec"]["jobTemplate"])["containers"]
    assert container["args"] == ["prune"]
    return {each["name"]: each["value"] for each in container["env"]}


async def _prune(environment: dict[str, str]) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        _PROGRAM, "prune", env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, told = await process.communicate()
    return process.returncode, said.decode(), told.decode()
