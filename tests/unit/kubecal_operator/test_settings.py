"""The operator's environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecal_operator.settings import PruneSettings, Settings, SettingsError
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


PRUNE = {"KUBECAL_MONGODB_URI_FILE": "/etc/kubecal/mongodb/uri", "KUBECAL_RAW_RETENTION_DAYS": "30"}


def test_environment_of_the_chart_s_cronjob_is_read() -> None:
    assert PruneSettings.from_environment(PRUNE) == PruneSettings(Path("/etc/kubecal/mongodb/uri"), 30)


@pytest.mark.parametrize("name", list(PRUNE))
def test_what_the_cronjob_lacks_is_named(name: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} is not set"):
        PruneSettings.from_environment({key: value for key, value in PRUNE.items() if key != name})


@pytest.mark.parametrize("days", ["0", "-1", "a month", "1.5", "36501"])
def test_retention_that_is_no_number_of_days_is_named(days: str) -> None:
    with pytest.raises(SettingsError, match=f"KUBECAL_RAW_RETENTION_DAYS is '{days}', not a number of days"):
        PruneSettings.from_environment({**PRUNE, "KUBECAL_RAW_RETENTION_DAYS": days})
