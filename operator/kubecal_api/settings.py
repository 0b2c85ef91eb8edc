"""What the chart tells the service, read once at start."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


class SettingsError(Exception):
    """The environment lacks something; the message says what."""


@dataclass(frozen=True)
class Settings:
    """The service's environment."""

    mongodb_uri_file: Path
    port: int

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
        """Read the variables that the chart sets.

        Raises
        ------
        SettingsError
            If the URI's file is not named, or the port is none.
        """
        uri_file, port = environment.get("KUBECAL_MONGODB_URI_FILE", ""), environment.get("KUBECAL_API_PORT", "8080")
        if not uri_file:
            raise SettingsError("KUBECAL_MONGODB_URI_FILE is not set: the chart sets it; by hand, export it")
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise SettingsError(f"KUBECAL_API_PORT is {port!r}, not a port: give a number from 1 to 65535")
        return Settings(Path(uri_file), int(port))
