"""What our Dockerfiles begin with: the public Python image, or a Debian of our own where that cannot be pulled."""

import hashlib
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.cluster import versions
from tests.cluster.cache import key_of, locked
from tests.cluster.docker import Docker
from tests.cluster.errors import ClusterError
from tests.cluster.packages import ensure_programs
from tests.cluster.process import run, say

_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
_IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
_CARRIED = ("index-url", "extra-index-url", "trusted-host", "timeout", "retries")
_INCLUDED = ("ca-certificates", "python3", "python3-venv")
_OWN = f"localhost/kubecal/debian:{versions.DEBIAN}-{key_of(*_INCLUDED)}"

_LAYER = f"""ARG BASE_IMAGE
FROM ${{BASE_IMAGE}}
COPY ca-certificates.crt {_IN_IMAGE}
COPY pip.conf /etc/pip.conf
ENV PIP_CERT={_IN_IMAGE}
"""


def base_image(docker: Docker) -> str:
    """The image to give as BASE_IMAGE, made if need be.

    Inside it pip reaches the package index as it does on this machine: the machine's certificates and its pip
    settings are a layer of their own, which stays in this machine's Docker.
    """
    bundle, settings = _certificates(), pip_settings(_pip_config())
    public = docker.has_image(versions.PUBLIC_BASE_IMAGE) or (
        not has_own_base(docker) and docker.pulled(versions.PUBLIC_BASE_IMAGE)
    )
    if public and not settings and not _has_own_certificates():
        return versions.PUBLIC_BASE_IMAGE
    root = versions.PUBLIC_BASE_IMAGE if public else _OWN
    tag = f"localhost/kubecal/base:{key_of(root, _LAYER, hashlib.sha256(bundle).digest(), settings)}"
    if docker.has_image(tag):
        return tag
    with locked("base-image"), TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if not public and not has_own_base(docker):
            _bootstrap(docker, _OWN, folder)
        (folder / "ca-certificates.crt").write_bytes(bundle)
        (folder / "pip.conf").write_text(f"[global]\n{settings}")
        (folder / "Dockerfile").write_text(_LAYER)
        docker.run("build", "--quiet", "--build-arg", f"BASE_IMAGE={root}", "--tag", tag, folder)
    return tag


def has_own_base(docker: Docker) -> bool:
    """Whether the Debian of our own is there, which is made only where images cannot be pulled."""
    return docker.has_image(_OWN)


def pip_settings(listed: str) -> str:
    """The lines for a pip.conf in the image, from what `pip config list` prints here.

    Raises:
        ClusterError: an index address has a password, which must not end in an image.
    """
    found: dict[str, str] = {}
    for line in listed.splitlines():
        match = re.fullmatch(r"(?:global|install|download|:env:)\.([a-z-]+)='(.*)'", line.strip())
        if match and match[1] in _CARRIED:
            found[match[1]] = match[2].replace("\\n", " ").strip()
    for name, value in found.items():
        if any(urlsplit(word).password for word in value.split()):
            raise ClusterError(
                f"pip's {name} has a password, which would end in the test images: use an index without one, or a"
                " proxy that adds it"
            )
    return "".join(f"{name} = {value}\n" for name, value in sorted(found.items()))


def _pip_config() -> str:
    return run([sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"])


def _has_own_certificates() -> bool:
    """Whether pip is told here which certificates to trust: then the public image's own will not do."""
    return bool(re.search(r"^(?:global|install|:env:)\.cert=", _pip_config(), re.MULTILINE))


def _certificates() -> bytes:
    for path in map(Path, _BUNDLES):
        if path.exists():
            return path.read_bytes()
    raise ClusterError(f"this machine has no certificate bundle at {' or '.join(_BUNDLES)}: install ca-certificates")


def _bootstrap(docker: Docker, tag: str, folder: Path) -> None:
    ensure_programs("mmdebstrap")
    say("no image can be pulled: making a base image from Debian packages (once; half a minute)")
    archive = folder / "base.tar"
    run(
        ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(_INCLUDED)}", versions.DEBIAN, archive],
        timeout_s=900,
    )
    docker.run("import", archive, tag)
    archive.unlink()
