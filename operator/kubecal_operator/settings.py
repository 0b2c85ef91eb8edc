"""What the chart tells the operator, read once at start."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LOG_LEVELS = ("debug", "info", "warning", "error")
_MAX_DAYS = 36_500
"""Of raw data; the chart's schema has the same bound."""


class SettingsError(Exception):
    """The environment lacks something; the message says what."""


@dataclass(frozen=True)
class Settings:
    """The operator's environment."""

    namespaces: tuple[str, ...]
    """Those it serves."""
    own_namespace: str
    """Where its Lease lives."""
    lease_name: str
    identity: str
    """Who it is among the replicas: the pod's name."""
    scope: str
    """Which installation of this cluster it is; part of the driver id."""
    mongodb_uri_file: Path
    mongodb_secret: str
    """Name of the Secret with the key ``uri`` in each served namespace."""
    catalogue_file: Path
    task_image: str
    pull_policy: str
    pull_secrets: tuple[str, ...]
    scratch_size_limit: str
    log_level: str
    probe_port: int
    relist_s: float = 300.0
    """How often the cached pods are compared with a quorum list."""

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the variables that the chart sets.

        Raises
        ------
        SettingsError
            If one that has no default is missing.
        """

        def wanted(name: str) -> str:
            return _wanted(environment, name)

        def listed(name: str) -> tuple[str, ...]:
            return tuple(part for part in environment.get(name, "").split(",") if part)

        wanted("KUBECAL_NAMESPACES")
        return Settings(
            namespaces=listed("KUBECAL_NAMESPACES"),
            own_namespace=wanted("KUBECAL_OPERATOR_NAMESPACE"),
            lease_name=environment.get("KUBECAL_LEASE_NAME", "kubecal-operator"),
            identity=environment.get("KUBECAL_POD_NAME", "") or f"{socket.gethostname()}-{os.getpid()}",
            scope=environment.get("KUBECAL_SCOPE", "kubecal"),
            mongodb_uri_file=Path(wanted("KUBECAL_MONGODB_URI_FILE")),
            mongodb_secret=environment.get("KUBECAL_MONGODB_SECRET", "kubecal-mongodb"),
            catalogue_file=Path(wanted("KUBECAL_CATALOGUE_FILE")),
            task_image=wanted("KUBECAL_TASK_IMAGE"),
            pull_policy=environment.get("KUBECAL_TASK_IMAGE_PULL_POLICY", "IfNotPresent"),
            pull_secrets=listed("KUBECAL_TASK_IMAGE_PULL_SECRETS"),
            scratch_size_limit=environment.get("KUBECAL_SCRATCH_SIZE_LIMIT", "1Gi"),
            log_level=_log_level(environment.get("KUBECAL_LOG_LEVEL", "info")),
            probe_port=_port(environment.get("KUBECAL_PROBE_PORT", "8080")),
        )


@dataclass(frozen=True)
class PruneSettings:
    """The environment of the job that removes old raw data: less than the operator's, it talks to no API server."""

    mongodb_uri_file: Path
    raw_retention_days: int
    """For how long raw data is kept."""

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> PruneSettings:
        """Read the variables that the chart sets.

        Raises
        ------
        SettingsError
            If one is missing, or is no number of days.
        """
        return PruneSettings(
            mongodb_uri_file=Path(_wanted(environment, "KUBECAL_MONGODB_URI_FILE")),
            raw_retention_days=_days(_wanted(environment, "KUBECAL_RAW_RETENTION_DAYS")),
        )


def _wanted(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set: the chart sets it; by hand, export it")
    return value


def _days(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= _MAX_DAYS:
        raise SettingsError(
            f"KUBECAL_RAW_RETENTION_DAYS is {text!r}, not a number of days: give one from 1 to {_MAX_DAYS}; "
            "to keep raw data for ever, do not run this command"
        )
    return int(text)


def _log_level(text: str) -> str:
    if text not in _LOG_LEVELS:
        raise SettingsError(f"KUBECAL_LOG_LEVEL is {text!r}: give one of {', '.join(_LOG_LEVELS)}")
    return text


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise SettingsError(f"KUBECAL_PROBE_PORT is {text!r}, not a port: give a number from 1 to 65535")
    return int(text)
