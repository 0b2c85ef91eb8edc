"""Bringing images from Docker into the nodes: only the layers that a node lacks.

`docker save` writes whole images, and a node would read all of them for a change of one line of code. So we write the
same image in the OCI layout, whose blobs may be left out where the node's containerd has them already, also as part of
another image.
"""

import contextlib
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory
from typing import IO, Any

from tests.cluster.docker import Docker
from tests.cluster.errors import ClusterError
from tests.cluster.process import Command, say

_CTR = ("ctr", "--namespace=k8s.io")
_OCI = "application/vnd.oci.image"


@dataclass(frozen=True)
class Blob:
    """A part of an image: bytes at hand, or a member of the saved archive."""

    digest: str
    size: int
    media_type: str
    member: str = ""
    content: bytes = b""

    def descriptor(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


@dataclass(frozen=True)
class SavedImage:
    """One image of an archive of `docker save`."""

    tags: tuple[str, ...]
    manifest: Blob
    parts: tuple[Blob, ...]
    """Configuration and layers."""


def load(docker: Docker, nodes: Sequence[str], tags: Sequence[str]) -> None:
    """Bring images into the nodes that lack them, all nodes at once."""
    with ThreadPoolExecutor(max_workers=len(nodes)) as workers:
        present = list(workers.map(lambda node: _listed(docker, node, "images"), nodes))
        missing = {node: [tag for tag in tags if tag not in there] for node, there in zip(nodes, present, strict=True)}
        wanted = [tag for tag in tags if any(tag in absent for absent in missing.values())]
        if not wanted:
            return
        say(f"loading into the nodes: {', '.join(tag.rsplit('/', 1)[-1] for tag in wanted)}")
        with TemporaryDirectory() as temporary:
            archive = Path(temporary) / "images.tar"
            docker.run("save", "--output", archive, *wanted)
            images = saved_images(archive)
            waiting = [node for node in nodes if missing[node]]
            list(workers.map(lambda node: _import(docker, node, archive, images), waiting))


def saved_images(archive: Path) -> list[SavedImage]:
    """The images in an archive of `docker save`, of an old Docker or a new one."""
    with tarfile.open(archive) as tar:
        members = {member.name: member for member in tar.getmembers()}
        return [_saved_image(tar, members, entry) for entry in json.loads(_read(tar, members, "manifest.json"))]


def _saved_image(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], entry: Mapping[str, Any]) -> SavedImage:
    config = _read(tar, members, entry["Config"])
    parts = [_blob(config, f"{_OCI}.config.v1+json")]
    for name, diff_id in zip(entry["Layers"], json.loads(config)["rootfs"]["diff_ids"], strict=True):
        member = _resolved(members, name)
        in_layout = re.fullmatch(r"blobs/sha256/([0-9a-f]{64})", member.name)
        packed = _first_bytes(tar, member) == b"\x1f\x8b"
        parts.append(
            Blob(
                # An old Docker names layers by an id of its own; what it writes is the unpacked layer, so that the
                # digest is the one that the configuration has. A new one names the file by its digest.
                digest=f"sha256:{in_layout[1]}" if in_layout else diff_id,
                size=member.size,
                media_type=f"{_OCI}.layer.v1.tar{'+gzip' if packed else ''}",
                member=member.name,
            )
        )
    media_type = f"{_OCI}.manifest.v1+json"
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": parts[0].descriptor(),
        "layers": [layer.descriptor() for layer in parts[1:]],
    }
    return SavedImage(
        tags=tuple(entry["RepoTags"] or ()),
        manifest=_blob(json.dumps(manifest).encode(), media_type),
        parts=tuple(parts),
    )


def write_layout(output: IO[bytes], archive: Path, images: Iterable[SavedImage], present: frozenset[str]) -> None:
    """Write images as a tar in the OCI layout, without the blobs that are present at the receiver."""
    index = {
        "schemaVersion": 2,
        "mediaType": f"{_OCI}.index.v1+json",
        "manifests": [
            {**image.manifest.descriptor(), "annotations": {"io.containerd.image.name": tag}}
            for image in images
            for tag in image.tags
        ],
    }
    written = set(present)
    with tarfile.open(archive) as source, tarfile.open(fileobj=output, mode="w|") as tar:
        _add(tar, "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
        for blob in [blob for image in images for blob in (*image.parts, image.manifest)]:
            if blob.digest in written:
                continue
            written.add(blob.digest)
            name = f"blobs/sha256/{blob.digest.removeprefix('sha256:')}"
            if blob.member:
                _add_stream(tar, name, blob.size, source.extractfile(blob.member))
            else:
                _add(tar, name, blob.content)
        _add(tar, "index.json", json.dumps(index).encode())


def _listed(docker: Docker, node: str, what: str) -> frozenset[str]:
    return frozenset(docker.run("exec", node, *_CTR, what, "list", "-q").split())


def _import(docker: Docker, node: str, archive: Path, images: Sequence[SavedImage]) -> None:
    present = _listed(docker, node, "content")
    command: Command = [docker.client, "exec", "-i", node, *_CTR, "images", "import", "-"]
    environment = {**os.environ, **docker.environment}
    with Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment) as receiver:
        assert receiver.stdin is not None  # it is a pipe
        # A receiver that ends early says why below.
        with contextlib.suppress(BrokenPipeError):
            write_layout(receiver.stdin, archive, images, present)
        _, trouble = receiver.communicate()
    if receiver.returncode:
        tags = ", ".join(tag for image in images for tag in image.tags)
        raise ClusterError(f"node {node!r} did not take the images {tags}: {trouble.decode(errors='replace').strip()}")


def _blob(content: bytes, media_type: str) -> Blob:
    return Blob(f"sha256:{hashlib.sha256(content).hexdigest()}", len(content), media_type, content=content)


def _read(tar: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo], name: str) -> bytes:
    file = tar.extractfile(_resolved(members, name))
    assert file is not None  # a resolved member is a file
    return file.read()


def _resolved(members: Mapping[str, tarfile.TarInfo], name: str) -> tarfile.TarInfo:
    """The file behind a name: a layer that an archive has twice is a link the second time."""
    member = members[name]
    if not member.issym():
        return member
    return _resolved(members, os.path.normpath(os.path.join(os.path.dirname(name), member.linkname)))


def _first_bytes(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None  # a resolved member is a file
    return file.read(2)


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    _add_stream(tar, name, len(content), io.BytesIO(content))


def _add_stream(tar: tarfile.TarFile, name: str, size: int, content: IO[bytes] | None) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    tar.addfile(info, content)
