"""What the user's kubectl is asked for, and what is said where it cannot do it: a program of ours stands in for it."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from kubecal.cluster.kubectl import Context, context, proxy
from kubecal.lab.lab import LabError

_SERVING = """
for word in "$@"; do case "$word" in --unix-socket=*) socket="${word#--unix-socket=}";; esac; done
echo "To sign in, open a page and enter the code ABC" >&2
echo "I0101 a log line of its own" >&2
: > "$socket"
echo "Starting to serve on $socket"
trap 'exit 0' TERM
while :; do sleep 0.05; done
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test writes what kubectl is."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "kubectl"


def write(kubectl: Path, script: str) -> None:
    kubectl.write_text(f"#!/bin/sh\n{script}")
    kubectl.chmod(0o700)


def beside(kubectl: Path, name: str) -> str:
    """What the program wrote."""
    return Path(f"{kubectl}.{name}").read_text()


async def test_a_proxy_serves_on_a_socket_of_the_users_own_and_ends_with_the_command(
    kubectl: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(kubectl, f'echo "$$" > {kubectl}.pid\necho "$@" > {kubectl}.said{_SERVING}')
    async with proxy("somewhere") as socket:
        assert socket.exists()
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert beside(kubectl, "said") == f"proxy --unix-socket={socket} --context=somewhere\n"
        pid = int(beside(kubectl, "pid"))
    assert not socket.parent.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert capfd.readouterr().err == "To sign in, open a page and enter the code ABC\n", "what a login plugin says"


async def test_a_proxy_that_is_deaf_is_killed(kubectl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kubecal.cluster.kubectl._PATIENCE_S", 0.1)
    write(kubectl, _SERVING.replace("trap 'exit 0' TERM", "trap '' TERM"))
    async with asyncio.timeout(20), proxy("") as socket:
        assert socket.exists()


async def test_the_context_and_its_namespace_are_taken_as_kubectl_takes_them(kubectl: Path) -> None:
    config = {"contexts": [{"name": "kind-kubecal", "context": {"cluster": "kind", "namespace": "lab"}}]}
    write(kubectl, f"echo '{json.dumps(config)}'")
    assert await context("") == Context("kind-kubecal", "lab")
    del config["contexts"][0]["context"]["namespace"]  # type: ignore[attr-defined]
    write(kubectl, f"echo '{json.dumps(config)}'")
    assert await context("") == Context("kind-kubecal", "default")


async def test_without_a_kubeconfig_kubectl_finds_the_cluster_by_itself(kubectl: Path) -> None:
    write(kubectl, 'echo "error: current-context must exist in order to minify" >&2; exit 1')
    assert await context("") == Context("", "default")


async def test_a_context_that_is_not_there_is_said(kubectl: Path) -> None:
    write(kubectl, """echo 'error: context "nowhere" does not exist' >&2; exit 1""")
    with pytest.raises(LabError) as missing:
        async with proxy("nowhere"):
            pass
    assert str(missing.value) == 'context "nowhere" does not exist'
    with pytest.raises(LabError, match=r"^context \"nowhere\" does not exist: kubectl config get-contexts lists"):
        await context("nowhere")


async def test_without_kubectl_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabError, match="kubectl is not found in the PATH: kubecal asks a cluster through"):
        await context("")
