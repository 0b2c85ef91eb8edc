"""Our own node image for kind, where the public one cannot be pulled: from Go modules and Debian packages alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.cluster import versions
from tests.cluster.base_image import base_image
from tests.cluster.binaries import kubectl, module_folder, server
from tests.cluster.cache import key_of_folder, locked
from tests.cluster.docker import Docker
from tests.cluster.packages import ensure_programs
from tests.cluster.process import run, say

_FILES = Path(__file__).parent / "node"
_SHARED_BY_SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "etcd")
_SINGLE = ("coredns", "pause")


def node_image(docker: Docker) -> str:
    """The tag of our node image, made if it is not there yet."""
    base = base_image(docker)
    programs = [server("kubelet").resolve(), server("etcd"), server("coredns"), server("pause"), kubectl()]
    key = key_of_folder(_FILES, base, versions.KUBERNETES, versions.KIND, *(str(path.parent) for path in programs))
    tag = f"localhost/kubecal/node:{key}"
    if docker.has_image(tag):
        return tag
    with locked("node-image"):
        if not docker.has_image(tag):
            ensure_programs("buildah")
            say("making a node image for kind (once; a minute or two)")
            _build(docker, base, tag)
    return tag


def image_names(listed: str) -> dict[str, str]:
    """The names that kubeadm gives its images, by their last part without the version."""
    names = listed.split()
    return {name.rsplit("/", 1)[-1].partition(":")[0]: name for name in names}


def _build(docker: Docker, base: str, tag: str) -> None:
    listed = run([server("kubeadm"), "config", "images", "list", "--kubernetes-version", versions.KUBERNETES])
    names = image_names(listed)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kind_base = _kind_base(docker, base, folder)
        _build_components(docker, base, names)
        with _context("node", servers=server("kubelet").resolve(), kubectl=kubectl()) as context:
            for name in ("default-storage.yaml", "load-images.service"):
                shutil.copy(_FILES / name, context)
            docker.run("save", "--output", context / "components.tar", *names.values())
            arguments = {
                "KIND_BASE": kind_base,
                "PAUSE_IMAGE": names["pause"],
                "KUBERNETES_VERSION": versions.KUBERNETES,
            }
            build(docker, context, tag, arguments)
        docker.run("image", "rm", *names.values())


def _kind_base(docker: Docker, base: str, folder: Path) -> str:
    """kind's own base stage: systemd, its entrypoint and configuration. Docker's old builder cannot read its file."""
    sources = module_folder("sigs.k8s.io/kind", versions.KIND) / "images" / "base"
    tag = f"localhost/kubecal/kind-base:{versions.KIND}"
    given, made = folder / "given.tar", folder / "made.tar"
    docker.run("save", "--output", given, base)
    buildah: list[str | Path] = [
        "buildah",
        "--root",
        folder / "root",
        "--runroot",
        folder / "run",
        "--storage-driver",
        "overlay",
    ]
    try:
        run([*buildah, "pull", "--quiet", f"docker-archive:{given}"])
        run(
            [*buildah, "bud", "--isolation", "chroot", "--target", "base", "--build-arg", f"BASE_IMAGE={base}",
             "--tag", tag, "--file", sources / "Dockerfile", sources],
        )  # fmt: skip
        run([*buildah, "push", "--quiet", tag, f"docker-archive:{made}:{tag}"])
    finally:
        # The storage holds mounts, which would keep the temporary folder from being removed.
        run([*buildah, "rmi", "--all", "--force"])
        run(["umount", "--recursive", "--quiet", folder / "root" / "overlay"]) if _mounted(folder) else None
    docker.run("load", "--quiet", "--input", made)
    return tag


def _mounted(folder: Path) -> bool:
    return str(folder / "root" / "overlay") in Path("/proc/mounts").read_text()


def _build_components(docker: Docker, base: str, names: dict[str, str]) -> None:
    with _context("components", servers=server("kubelet").resolve(), etcd=server("etcd")) as context:
        first, *others = (names[name] for name in _SHARED_BY_SERVERS)
        build(docker, context, first, {"BASE_IMAGE": base})
    for other in others:
        docker.run("tag", first, other)
    for name in _SINGLE:
        with _context("single", program=server(name)) as context:
            build(docker, context, names[name], {})


@contextmanager
def _context(dockerfile: str, **files: Path) -> Iterator[Path]:
    """A build context with these files and one of our Dockerfiles."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        shutil.copy(_FILES / f"{dockerfile}.Dockerfile", folder / "Dockerfile")
        for name, source in files.items():
            shutil.copy(source, folder / name)
        yield folder


def build(docker: Docker, context: Path, tag: str, arguments: dict[str, str]) -> None:
    words = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
    docker.run("build", "--network", "host", "--quiet", "--tag", tag, *words, context)
