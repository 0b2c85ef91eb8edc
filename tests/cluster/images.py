"""Building our images: none twice."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.cluster.base_image import base_image
from tests.cluster.build_context import archive, context_files, ignored_by_git, image_key
from tests.cluster.cache import locked
from tests.cluster.docker import Docker
from tests.cluster.errors import ClusterError
from tests.cluster.process import say

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


def build_image(
    docker: Docker,
    name: str,
    dockerfile: Path,
    context: Path,
    build_args: Mapping[str, str] | None = None,
) -> str:
    """Build an image, unless it is there already, and return its tag.

    The tag is `<registry>/<name>:<key>` with a key of the Dockerfile, the files that it copies, the build arguments and
    the base image. The registry is IMAGE_REGISTRY, for clusters that are given, else one that nobody asks. The base
    image is given as BASE_IMAGE where the Dockerfile asks for one.
    """
    if not dockerfile.is_file():
        raise ClusterError(f"the image {name!r} has no Dockerfile at {dockerfile}: correct the path")
    text = dockerfile.read_text()
    arguments = dict(build_args or {})
    if "BASE_IMAGE" in text and "BASE_IMAGE" not in arguments:
        arguments["BASE_IMAGE"] = base_image(docker)
    context = context.resolve()
    files = context_files(context, text, ignored_by_git(context))
    tag = f"{_registry()}/{name}:{image_key(text, context, files, arguments)}"
    if docker.has_image(tag):
        return tag
    with locked(f"image-{name}"):
        if not docker.has_image(tag):
            say(f"building the image {tag}")
            # Proxies are no part of the key: they say how to reach the index and not what comes from there.
            given = {**arguments, **{each: os.environ[each] for each in _PROXIES if each in os.environ}}
            words = [word for key, value in given.items() for word in ("--build-arg", f"{key}={value}")]
            content = archive(text, context, files)
            docker.run("build", "--network", "host", "--quiet", "--tag", tag, *words, "-", given=content)
    return tag


def push(docker: Docker, tags: Sequence[str]) -> None:
    """Push images to the registry that a given cluster pulls from."""
    if not os.environ.get("IMAGE_REGISTRY"):
        raise ClusterError(
            "a given cluster pulls the images of the tests: set IMAGE_REGISTRY to a registry that Docker here may push"
            " to and that the cluster pulls from, as in registry.example.org/kubecal"
        )
    for tag in tags:
        docker.run("push", "--quiet", tag)


def _registry() -> str:
    return os.environ.get("IMAGE_REGISTRY", "").rstrip("/") or "localhost/kubecal"
