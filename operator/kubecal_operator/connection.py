"""How to reach the API server: credentials as kopf finds them, and what TLS makes of them."""

from __future__ import annotations

import base64
import ssl
import tempfile
from pathlib import Path

import kopf

from kubecal_operator.errors import ApiError

_SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


def login(settings: kopf.OperatorSettings) -> kopf.ConnectionInfo:
    """Credentials as kopf finds them: the service account's in a cluster, else the kubeconfig's.

    Raises
    ------
    ApiError
        If there are none.
    """
    info = kopf.login_with_service_account(settings=settings) or kopf.login_with_kubeconfig(settings=settings)
    if info is None:
        raise ApiError(401, "there are no credentials for a cluster: set KUBECONFIG, or run in a pod")
    return info


def token(info: kopf.ConnectionInfo) -> str | None:
    """The bearer token; a mounted one is rotated by the kubelet, so the file is read each time."""
    if info.token and _SERVICE_ACCOUNT_TOKEN.exists():
        return _SERVICE_ACCOUNT_TOKEN.read_text().strip()
    return info.token


def tls(info: kopf.ConnectionInfo) -> ssl.SSLContext:
    """The server's authority, and our certificate if we have one."""
    context = ssl.create_default_context(
        cafile=str(info.ca_path) if info.ca_path else None, cadata=_pem(info.ca_data) if info.ca_data else None
    )
    if info.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if info.certificate_path and info.private_key_path:
        context.load_cert_chain(str(info.certificate_path), str(info.private_key_path))
    elif info.certificate_data and info.private_key_data:
        _load_from_data(context, _pem(info.certificate_data), _pem(info.private_key_data))
    return context


def _pem(data: bytes | str) -> str:
    text = data.decode() if isinstance(data, bytes) else data
    return text if "BEGIN" in text else base64.b64decode(text).decode()


def _load_from_data(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """The ssl module takes client certificates from files only."""
    with tempfile.NamedTemporaryFile("w") as certificate_file, tempfile.NamedTemporaryFile("w") as key_file:
        certificate_file.write(certificate)
        key_file.write(key)
        certificate_file.flush()
        key_file.flush()
        context.load_cert_chain(certificate_file.name, key_file.name)
