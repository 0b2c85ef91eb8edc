"""The operator's environment."""

from __future__ import annotations

import pytest

from kubecal_operator.settings import Settings, SettingsError
from tests.unit.kubecal_operator.builders import ENVIRONMENT, settings


def test_environment_of_the_chart_is_read() -> None:
    found = settings(KUBECAL_TASK_IMAGE_PULL_SECRETS="one,two", KUBECAL_PROBE_PORT="9000")
    assert found.namespaces == ("lab", "annex")
    assert found.pull_secrets == ("one", "two")
    assert (found.identity, found.probe_port, found.scratch_size_limit) == ("kubecal-operator-7c9d", 9000, "1Gi")


@pytest.mark.parametrize(
    "name",
    [
        "KUBECAL_NAMESPACES",
        "KUBECAL_OPERATOR_NAMESPACE",
        "KUBECAL_MONGODB_URI_FILE",
        "KUBECAL_CATALOGUE_FILE",
        "KUBECAL_TASK_IMAGE",
    ],
)
def test_what_is_missing_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        Settings.from_environment({key: value for key, value in ENVIRONMENT.items() if key != name})


def test_port_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="KUBECAL_PROBE_PORT is 'http', not a port"):
        settings(KUBECAL_PROBE_PORT="http")


def test_log_level_that_is_none_is_named() -> None:
    with pytest.raises(SettingsError, match="KUBECAL_LOG_LEVEL is 'loud'"):
        settings(KUBECAL_LOG_LEVEL="loud")
