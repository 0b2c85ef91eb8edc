"""What the environment must say."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecal_api.settings import Settings, SettingsError


def test_the_charts_variables_are_read() -> None:
    assert Settings.from_environment({"KUBECAL_MONGODB_URI_FILE": "/secret/uri"}) == Settings(Path("/secret/uri"), 8080)


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({}, "KUBECAL_MONGODB_URI_FILE is not set"),
        ({"KUBECAL_MONGODB_URI_FILE": "/uri", "KUBECAL_API_PORT": "http"}, "KUBECAL_API_PORT is 'http', not a port"),
    ],
)
def test_what_is_missing_or_wrong_is_said(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings.from_environment(environment)
