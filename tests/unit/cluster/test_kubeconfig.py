import base64

import yaml

from tests.cluster.kubeconfig import with_certificate, with_token

ADMIN = with_certificate("https://127.0.0.1:6443", b"authority", b"certificate", b"key")


def test_a_user_with_a_certificate() -> None:
    config = yaml.safe_load(ADMIN)
    user = config["users"][0]["user"]
    assert base64.b64decode(user["client-certificate-data"]) == b"certificate"
    assert base64.b64decode(user["client-key-data"]) == b"key"
    assert config["current-context"] == config["contexts"][0]["name"]


def test_a_token_is_for_the_same_cluster_and_takes_nothing_of_the_admin_along() -> None:
    config = yaml.safe_load(with_token(ADMIN, "token"))
    assert config["clusters"] == yaml.safe_load(ADMIN)["clusters"]
    assert config["users"][0]["user"] == {"token": "token"}
