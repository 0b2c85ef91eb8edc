"""A kind cluster with three nodes: the control plane, a worker wired to instruments, and a plain worker."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster import kubeconfig, registry, versions
from tests.cluster.audit import AuditEvent, policy_text, position, read_events
from tests.cluster.base_image import has_own_base
from tests.cluster.binaries import installed, kubectl, linked
from tests.cluster.cache import key_of
from tests.cluster.docker import Docker, connected
from tests.cluster.errors import ClusterError
from tests.cluster.image_transfer import load
from tests.cluster.images import build_image, push
from tests.cluster.kind_config import INSTRUMENTS, INSTRUMENTS_LABEL, kind_config
from tests.cluster.node_image import node_image
from tests.cluster.pod_network import connect, nodes_in
from tests.cluster.process import run, say, wait_until
from tests.cluster.registry import KEPT

_CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True)
class KindCluster:
    """A running kind cluster, or one that was given to us. Make one with `KindCluster.ensure()`."""

    name: str
    docker: Docker
    tools: Path
    """Folder with kind, kubectl, helm and docker, to be put first into PATH."""

    folder: Path
    """Folder for files that belong to this cluster."""

    given: bool = False
    """Whether the cluster is not ours: then its nodes cannot be lost, and its audit log not read."""

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        """What to export to work with the cluster by hand or from another program."""
        path = f"{self.tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        return {"KUBECONFIG": str(self.kubeconfig), "PATH": path, **self.docker.environment}

    @staticmethod
    @contextmanager
    def ensure(*, keep: bool = False) -> Iterator["KindCluster"]:
        """A cluster for as long as the context lasts: the kept one if it fits and nobody else uses it, else a new one.

        With `keep` it is the kept one in any case, and it stays. With CLUSTER=external in the environment it is the
        one that KUBECONFIG names.
        """
        with connected() as docker:
            if os.environ.get("CLUSTER") == "external":
                with TemporaryDirectory() as folder:
                    yield _external(docker, Path(folder))
                return
            maker = _Maker(docker)
            with registry.held(KEPT) as ours:
                if keep and not ours:
                    raise ClusterError(f"the kept cluster {KEPT!r} is in use by another run: wait for that run to end")
                if ours and (keep or registry.is_kept(KEPT)):
                    yield maker.kept()
                    return
            name = f"{KEPT}-{secrets.token_hex(3)}"
            with registry.held(name):
                try:
                    yield maker.made(name)
                finally:
                    registry.delete(name)

    @staticmethod
    def prepare(docker: Docker) -> str:
        """Build all that a cluster is made from, and return the node image."""
        return _Maker(docker).image

    def kubectl(self, *arguments: str | Path, given: str | None = None, timeout_s: float | None = 120) -> str:
        """Run kubectl as admin and return what it printed."""
        data = None if given is None else given.encode()
        return run([self.tools / "kubectl", *arguments], environment=self.environment, given=data, timeout_s=timeout_s)

    def helm(self, *arguments: str | Path, timeout_s: float | None = 300) -> str:
        """Run helm as admin and return what it printed."""
        return run([self.tools / "helm", *arguments], environment=self.environment, timeout_s=timeout_s)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes; in kind they are those of their containers."""
        listed = self.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")
        return tuple(sorted(listed.split()))

    @cached_property
    def workers(self) -> tuple[str, ...]:
        """The nodes that run pods of ours; the control plane's is tainted."""
        selector = f"!{_CONTROL_PLANE}"
        return tuple(self.kubectl("get", "nodes", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}").split())

    @cached_property
    def instrument_node(self) -> str:
        """The worker that is wired to the instruments."""
        selector = f"{INSTRUMENTS_LABEL}={INSTRUMENTS}"
        return self.kubectl("get", "nodes", "-l", selector, "-o", "jsonpath={.items[0].metadata.name}")

    @cached_property
    def plain_node(self) -> str:
        """The other worker."""
        return next(name for name in self.workers if name != self.instrument_node)

    def pause_node(self, name: str) -> None:
        """Lose a node: it stops where it is, its pods with it, and answers nobody."""
        self._must_be_ours("lose a node")
        self.docker.run("pause", name)

    def unpause_node(self, name: str) -> None:
        """The node goes on as if nothing had been."""
        self._must_be_ours("find a node again")
        self.docker.run("unpause", name)

    def on_node(self, name: str, *command: str, given: bytes | None = None) -> str:
        """Run a program on a node."""
        self._must_be_ours("run a program on a node")
        return self.docker.run("exec", *(["-i"] if given is not None else []), name, *command, given=given)

    def audit_position(self) -> int:
        """Where the audit log ends now, for `audit_events` later."""
        self._must_be_ours("read the audit log")
        return position(self.folder / "audit")

    def audit_events(self, after: int = 0) -> list[AuditEvent]:
        """What the API server has written down since the beginning, or after a position, oldest first."""
        self._must_be_ours("read the audit log")
        return read_events(self.folder / "audit", after)

    def service_account_kubeconfig(self, namespace: str, name: str) -> Path:
        """A kubeconfig of a service account that exists, for a day."""
        token = self.kubectl("create", "token", name, "--namespace", namespace, "--duration=24h").strip()
        content = kubeconfig.with_token(self.kubeconfig.read_text(), token)
        return kubeconfig.write(self.folder / f"kubeconfig-{namespace}-{name}", content)

    def build_image(
        self, name: str, dockerfile: Path, context: Path, build_args: Mapping[str, str] | None = None
    ) -> str:
        """Build an image unless it is there already, and return its tag."""
        return build_image(self.docker, name, dockerfile, context, build_args)

    def mongodb_image(self) -> str:
        """The tag of an image with a MongoDB-compatible server that listens on 27017, built if need be."""
        dockerfile = Path(__file__).with_name("mongodb.Dockerfile")
        return self.build_image("mongodb", dockerfile, dockerfile.parent, {"SECANTUSDB_VERSION": versions.SECANTUSDB})

    def load_images(self, tags: Sequence[str]) -> None:
        """Bring images of this machine's Docker into every worker that lacks them; a given cluster pulls them."""
        if self.given:
            push(self.docker, tags)
        else:
            load(self.docker, self.workers, tags)

    def answers(self) -> bool:
        """Whether the nodes' containers are those of the beginning, and they and the API server are ready.

        A node that was started again, as after a restart of the Docker daemon, has other addresses and no routes.
        A node that a test lost and did not find again is found.
        """
        started = self.folder / "started.json"
        if not started.exists() or not self.kubeconfig.exists():
            return False
        try:
            self._find_lost_nodes()
            if json.loads(started.read_text()) != self.started():
                return False
            self.kubectl("--request-timeout=10s", "get", "--raw", "/readyz", timeout_s=15)
            self.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=60s", timeout_s=70)
        except ClusterError:
            return False
        return True

    def _find_lost_nodes(self) -> None:
        label = f"label=io.x-k8s.kind.cluster={self.name}"
        listed = self.docker.run("ps", "--filter", label, "--filter", "status=paused", "--format", "{{.Names}}")
        for name in listed.split():
            self.unpause_node(name)

    def started(self) -> dict[str, str]:
        """When each node's container was started."""
        form = "{{.State.StartedAt}} {{.State.Running}}"
        listed = run([self.tools / "kind", "get", "nodes", "--name", self.name], environment=self.environment)
        return {name: self.docker.run("inspect", "--format", form, name).strip() for name in sorted(listed.split())}

    def _must_be_ours(self, what: str) -> None:
        if self.given:
            raise ClusterError(
                f"these tests cannot {what} in a cluster that was given: run them without CLUSTER=external"
            )


def _external(docker: Docker, folder: Path) -> KindCluster:
    """The cluster that KUBECONFIG names, with its credentials copied: the file may change while the tests run."""
    path = os.environ.get("KUBECONFIG")
    if not path or not Path(path).is_file():
        raise ClusterError(f"CLUSTER=external needs KUBECONFIG to name a file, and it is {path!r}: set it")
    kubeconfig.write(folder / "kubeconfig", Path(path).read_text())
    tools = linked([installed("helm"), kubectl(), docker.client])
    return KindCluster("external", docker, tools, folder, given=True)


class _Maker:
    """Makes clusters in one Docker."""

    def __init__(self, docker: Docker) -> None:
        self._docker = docker
        self._tools = linked([installed("kind"), installed("helm"), kubectl(), docker.client])
        # A machine that has our own base has been found to have no registry: it is not asked every time.
        self._public = docker.has_image(versions.PUBLIC_NODE_IMAGE) or (
            not has_own_base(docker) and docker.pulled(versions.PUBLIC_NODE_IMAGE)
        )
        self.image = versions.PUBLIC_NODE_IMAGE if self._public else node_image(docker)

    def kept(self) -> KindCluster:
        """The kept cluster, made again unless it fits and answers. The caller holds it."""
        cluster = KindCluster(KEPT, self._docker, self._tools, registry.folder_of(KEPT))
        record = registry.read(KEPT)
        if record is not None and record.fits == self._fits() and cluster.answers():
            registry.keep(KEPT, kept=True)
            return cluster
        if record is not None:
            say("the kept cluster does not fit or does not answer: making it again")
            registry.delete(KEPT)
        cluster = self.made(KEPT)
        registry.keep(KEPT, kept=True)
        return cluster

    def made(self, name: str) -> KindCluster:
        """A new cluster. The caller holds it."""
        cluster = KindCluster(name, self._docker, self._tools, registry.folder_of(name))
        record = registry.Record(
            name=name,
            kind=str(self._tools / "kind"),
            path=cluster.environment["PATH"],
            docker_host=self._docker.host,
            fits=self._fits(),
        )
        folder = registry.write(record)
        say(f"making the kind cluster {name!r} (a minute)")
        (folder / "audit").mkdir()
        (folder / "audit-policy.yaml").write_text(policy_text())
        config = kind_config(folder / "audit", folder / "audit-policy.yaml", own_network=not self._public)
        (folder / "kind.yaml").write_text(config)
        command: list[str | Path] = [self._tools / "kind", "create", "cluster", "--name", name, "--image", self.image]
        command += ["--config", folder / "kind.yaml", "--kubeconfig", folder / "kubeconfig"]
        run(command, environment=cluster.environment, timeout_s=600)
        self._connect(cluster)
        (folder / "started.json").write_text(json.dumps(cluster.started()))
        return cluster

    def _connect(self, cluster: KindCluster) -> None:
        if not self._public:
            wait_until(
                lambda: "podCIDR" in cluster.kubectl("get", "nodes", "-o", "json"),
                "the nodes' pod ranges",
                timeout_s=60,
            )
            connect(self._docker, nodes_in(cluster.kubectl("get", "nodes", "-o", "json")))
        cluster.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s", timeout_s=130)
        cluster.kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=120s", timeout_s=130)

    def _fits(self) -> str:
        config = kind_config(Path("audit"), Path("policy"), own_network=not self._public)
        return key_of(self.image, config, policy_text(), versions.KIND)
