import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.cluster.image_transfer import saved_images, write_layout

LAYERS = (b"first layer", b"second layer")


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


CONFIG = json.dumps({"rootfs": {"diff_ids": [digest(layer) for layer in LAYERS]}}).encode()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def saved(path: Path, *, in_layout: bool) -> Path:
    """What an old Docker saves, with the second layer as a link, or a new one, whose files are named by digests."""
    names = [f"blobs/sha256/{digest(layer)[7:]}" if in_layout else f"{i}/layer.tar" for i, layer in enumerate(LAYERS)]
    with tarfile.open(path, "w") as tar:
        add(tar, names[0], LAYERS[0])
        if in_layout:
            add(tar, names[1], LAYERS[1])
        else:
            add(tar, "other/layer.tar", LAYERS[1])
            link = tarfile.TarInfo(names[1])
            link.type, link.linkname = tarfile.SYMTYPE, "../other/layer.tar"
            tar.addfile(link)
        add(tar, "config.json", CONFIG)
        manifest = [{"Config": "config.json", "RepoTags": ["localhost/kubecal/x:1"], "Layers": names}]
        add(tar, "manifest.json", json.dumps(manifest).encode())
    return path


def written(archive: Path, present: frozenset[str] = frozenset()) -> dict[str, bytes]:
    output = io.BytesIO()
    write_layout(output, archive, saved_images(archive), present)
    output.seek(0)
    with tarfile.open(fileobj=output) as tar:
        files = {name: tar.extractfile(name) for name in tar.getnames()}
        return {name: file.read() for name, file in files.items() if file is not None}


@pytest.mark.parametrize("in_layout", [False, True], ids=["old Docker", "new Docker"])
def test_every_blob_is_named_by_its_digest_and_reached_from_the_index(tmp_path: Path, in_layout: bool) -> None:
    files = written(saved(tmp_path / "a.tar", in_layout=in_layout))
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{digest(content)[7:]}"
    entry = json.loads(files["index.json"])["manifests"][0]
    assert entry["annotations"] == {"io.containerd.image.name": "localhost/kubecal/x:1"}
    manifest = json.loads(files[f"blobs/sha256/{entry['digest'][7:]}"])
    assert [layer["digest"] for layer in manifest["layers"]] == [digest(layer) for layer in LAYERS]
    assert manifest["config"]["digest"] == digest(CONFIG)


def test_layers_that_the_node_has_stay_at_home(tmp_path: Path) -> None:
    files = written(saved(tmp_path / "a.tar", in_layout=False), frozenset({digest(LAYERS[0])}))
    assert f"blobs/sha256/{digest(LAYERS[0])[7:]}" not in files
    assert f"blobs/sha256/{digest(LAYERS[1])[7:]}" in files


@pytest.mark.parametrize(("start", "packed"), [(b"\x1f\x8b", True), (b"no", False)])
def test_a_packed_layer_is_announced_as_such(tmp_path: Path, start: bytes, packed: bool) -> None:
    name = f"blobs/sha256/{digest(start)[7:]}"
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        add(tar, name, start)
        add(tar, "config.json", json.dumps({"rootfs": {"diff_ids": ["sha256:unpacked"]}}).encode())
        manifest = [{"Config": "config.json", "RepoTags": None, "Layers": [name]}]
        add(tar, "manifest.json", json.dumps(manifest).encode())
    layer = saved_images(tmp_path / "a.tar")[0].parts[1]
    assert layer.digest == digest(start)
    assert layer.media_type.endswith("+gzip") is packed
