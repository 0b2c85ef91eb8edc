"""A Kubernetes without nodes: etcd, API server and controller manager as child processes on loopback.

It is ready in about three seconds and bears thousands of pods, which nobody runs: for the operator's own tests, where
a simulator plays the kubelets.
"""

import contextlib
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import kubeconfig
from tests.cluster.audit import AuditEvent, policy_text, position, read_events
from tests.cluster.binaries import kubectl, server
from tests.cluster.cache import cache_folder, try_locked
from tests.cluster.certificates import Authority, signing_key
from tests.cluster.errors import ClusterError
from tests.cluster.process import Command, end, run, spawn, succeeds, tail, wait_until

_PATIENCE_S = 60
_HOST = "127.0.0.1"
_CONTROLLERS = (
    "garbage-collector-controller",
    "namespace-controller",
    "resourcequota-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
)


class ControlPlane:
    """A running control plane; use it as a context manager, from the main thread.

    Args:
        controllers: what the controller manager runs, by default only what these tests can see. The controllers of
            nodes are not among them: nodes of a simulator send no heartbeats, and would lose their pods.
        extra_arguments: further arguments to the API server.
    """

    def __init__(
        self,
        *,
        controllers: Sequence[str] = _CONTROLLERS,
        extra_arguments: Sequence[str] = (),
    ) -> None:
        self._controllers = controllers
        self._extra_arguments = extra_arguments
        self._name = secrets.token_hex(4)
        self._folder = _place() / self._name
        self._authority = Authority()
        self._port = _free_port()
        self._etcd_port = _free_port()
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._stack = contextlib.ExitStack()
        self._kubectl = kubectl()

    def __enter__(self) -> Self:
        _sweep()
        if not self._stack.enter_context(try_locked(f"control-plane-{self._name}")):
            raise ClusterError(f"the name {self._name} of a new control plane is taken: try again")
        self._stack.callback(self._remove)
        try:
            self._folder.mkdir(parents=True)
            self._prepare()
            self._start_etcd()
            self.start_apiserver()
            # After it: on a busy machine it would give up before the API server is ready, which takes it 10 s.
            self._start_controller_manager()
            self._wait_for_service_accounts()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return f"https://{_HOST}:{self._port}"

    @property
    def kubeconfig(self) -> Path:
        """The admin's."""
        return self._folder / "kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        return {"KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *arguments: str | Path, given: str | None = None, timeout_s: float | None = 60) -> str:
        """Run kubectl as admin and return what it printed."""
        data = None if given is None else given.encode()
        return run([self._kubectl, *arguments], environment=self.environment, given=data, timeout_s=timeout_s)

    def user_kubeconfig(self, name: str, groups: Sequence[str] = ()) -> Path:
        """A kubeconfig of a user, who may do what RBAC says."""
        pair = self._authority.user(name, groups)
        content = kubeconfig.with_certificate(self.url, self._authority.certificate, pair.certificate, pair.key)
        return kubeconfig.write(self._folder / f"kubeconfig-{secrets.token_hex(4)}", content)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig of a service account that exists, for a day."""
        token = self.kubectl("create", "token", name, "--namespace", namespace, "--duration=24h").strip()
        content = kubeconfig.with_token(self.kubeconfig.read_text(), token)
        return kubeconfig.write(self._folder / f"kubeconfig-{secrets.token_hex(4)}", content)

    def audit_position(self) -> int:
        """Where the audit log ends now, for `audit_events` later."""
        return position(self._folder / "audit")

    def audit_events(self, after: int = 0) -> list[AuditEvent]:
        """What the API server has written down since the beginning, or after a position, oldest first."""
        return read_events(self._folder / "audit", after)

    def restart_apiserver(self) -> None:
        """Kill the API server and start it again at the same address: every watch and request is cut."""
        self.stop_apiserver()
        self.start_apiserver()

    def stop_apiserver(self) -> None:
        """Kill the API server; it has no time to say goodbye."""
        process = self._processes.pop("kube-apiserver")
        process.kill()
        process.wait()

    def start_apiserver(self) -> None:
        """Start the API server and wait until it is ready."""
        folder = self._folder
        arguments: dict[str, str | Path] = {
            "bind-address": _HOST,
            "secure-port": str(self._port),
            # Endpoints of the Service `kubernetes` may not be on loopback, and nobody here uses it.
            "endpoint-reconciler-type": "none",
            "etcd-servers": f"http://{_HOST}:{self._etcd_port}",
            "tls-cert-file": folder / "apiserver.crt",
            "tls-private-key-file": folder / "apiserver.key",
            "client-ca-file": folder / "ca.crt",
            "authorization-mode": "Node,RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": folder / "accounts.key",
            "service-account-signing-key-file": folder / "accounts.key",
            "service-cluster-ip-range": "10.0.0.0/24",
            "audit-policy-file": folder / "policy.yaml",
            "audit-log-path": folder / "audit" / "audit.log",
            "audit-log-maxsize": "2000",
        }
        self._start("kube-apiserver", arguments, self._extra_arguments)
        self._wait("kube-apiserver", lambda: self._answers("/readyz"))

    def _prepare(self) -> None:
        folder = self._folder
        (folder / "audit").mkdir()
        (folder / "policy.yaml").write_text(policy_text())
        (folder / "ca.crt").write_bytes(self._authority.certificate)
        (folder / "accounts.key").touch(mode=0o600)
        (folder / "accounts.key").write_bytes(signing_key())
        self._authority.server("kube-apiserver", (_HOST, "localhost", "10.0.0.1")).write(folder, "apiserver")
        self.user_kubeconfig("admin", ("system:masters",)).rename(self.kubeconfig)

    def _start_etcd(self) -> None:
        address = f"http://{_HOST}:{self._etcd_port}"
        peers = f"http://{_HOST}:{_free_port()}"
        arguments: dict[str, str | Path] = {
            "data-dir": self._folder / "etcd",
            "listen-client-urls": address,
            "advertise-client-urls": address,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "log-level": "warn",
        }
        # Nothing here outlives the test: losing it to a power cut is no loss.
        self._start("etcd", arguments, ("--unsafe-no-fsync",))

    def _start_controller_manager(self) -> None:
        arguments: dict[str, str | Path] = {
            "kubeconfig": self.kubeconfig,
            "secure-port": "0",
            "leader-elect": "false",
            "controllers": ",".join(self._controllers),
            "root-ca-file": self._folder / "ca.crt",
            "service-account-private-key-file": self._folder / "accounts.key",
            "use-service-account-credentials": "true",
            # Its default of 20 requests a second is for clusters that serve others too.
            "kube-api-qps": "500",
            "kube-api-burst": "1000",
        }
        self._start("kube-controller-manager", arguments)

    def _start(self, name: str, arguments: dict[str, str | Path], further: Sequence[str] = ()) -> None:
        words = [f"--{flag}={value}" for flag, value in arguments.items()]
        process = spawn([server(name), *words, *further], self._log(name), on_death=signal.SIGKILL)
        self._processes[name] = process

    def _wait_for_service_accounts(self) -> None:
        """Pods are refused in a namespace that has no service account yet."""
        path = "/api/v1/namespaces/default/serviceaccounts/default"
        self._wait("kube-controller-manager", lambda: self._answers(path))

    def _wait(self, name: str, ready: Callable[[], bool]) -> None:
        def ready_or_ended() -> bool:
            ended = [each for each, process in self._processes.items() if process.poll() is not None]
            if ended:
                log = tail(self._log(ended[0]).read_text(errors="replace"))
                raise ClusterError(f"{ended[0]} of the control plane ended; the end of its log:\n{log}")
            return ready()

        wait_until(ready_or_ended, f"the readiness of {name} (its log is {self._log(name)})", timeout_s=_PATIENCE_S)

    def _answers(self, path: str) -> bool:
        command: Command = [self._kubectl, "--request-timeout=5s", "get", "--raw", path]
        return succeeds(command, environment=self.environment, timeout_s=10)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _remove(self) -> None:
        # The clients first: an API server without etcd waits for it for a long time.
        for name in ("kube-controller-manager", "kube-apiserver", "etcd"):
            if name in self._processes:
                end(self._processes.pop(name), patience_s=1)
        shutil.rmtree(self._folder, ignore_errors=True)
        _lock_file(self._name).unlink(missing_ok=True)


def _place() -> Path:
    return cache_folder() / "control-planes"


def _lock_file(name: str) -> Path:
    return cache_folder() / "locks" / f"control-plane-{name}"


def _sweep() -> None:
    """Remove the folders of control planes whose process was killed; their servers died with it."""
    for folder in _place().iterdir() if _place().is_dir() else ():
        with try_locked(f"control-plane-{folder.name}") as abandoned:
            if abandoned:
                shutil.rmtree(folder, ignore_errors=True)
                _lock_file(folder.name).unlink(missing_ok=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
