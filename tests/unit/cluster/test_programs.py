import pytest

from tests.cluster.base_image import pip_settings
from tests.cluster.binaries import go_is_new_enough, version_flags
from tests.cluster.errors import ClusterError
from tests.cluster.guard import may_use_sys_resource
from tests.cluster.node_image import image_names


@pytest.mark.parametrize(
    ("version", "enough"),
    [("go1.24.0", True), ("go1.26.8", True), ("go2.0", True), ("go1.23.9", False), ("go1.9", False), ("devel", False)],
)
def test_a_go_that_is_too_old_is_not_used(version: str, enough: bool) -> None:
    assert go_is_new_enough(version) is enough


def test_kubernetes_is_told_its_version_in_both_places() -> None:
    flags = version_flags("v1.34.4")
    for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version"):
        for setting in ("gitVersion=v1.34.4", "gitMajor=1", "gitMinor=34"):
            assert f"-X {package}.{setting}" in flags


def test_images_are_found_by_their_last_name() -> None:
    listed = "registry.k8s.io/kube-proxy:v1.34.4\nregistry.k8s.io/coredns/coredns:v1.12.1\n"
    assert image_names(listed) == {
        "kube-proxy": "registry.k8s.io/kube-proxy:v1.34.4",
        "coredns": "registry.k8s.io/coredns/coredns:v1.12.1",
    }


def test_pip_reaches_the_index_from_an_image_as_it_does_here() -> None:
    listed = """:env:.extra-index-url='https://a.example/simple https://b.example/simple'
global.cert='/somewhere/ca.crt'
global.index-url='https://pypi.example/simple'
install.find-links='/wheels'
"""
    assert pip_settings(listed) == (
        "extra-index-url = https://a.example/simple https://b.example/simple\nindex-url = https://pypi.example/simple\n"
    )


def test_a_password_does_not_get_into_an_image() -> None:
    with pytest.raises(ClusterError, match="pip's index-url has a password"):
        pip_settings("global.index-url='https://me:secret@pypi.example/simple'")


@pytest.mark.parametrize(("bounding", "may"), [("000001ffffffffff", True), ("000001fffeffffff", False)])
def test_the_weaker_runc_is_for_machines_without_the_capability(bounding: str, may: bool) -> None:
    assert may_use_sys_resource(f"Name:\tinit\nCapBnd:\t{bounding}\n") is may
