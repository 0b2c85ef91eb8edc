"""Manifests with one mistake each, and the sentence that tells a person what to change.

One table for two readers: `kubecal run` (unit tests) and a real API server (controller tests).
"""

from tests.bad_manifests.chips import BAD_CHIPS
from tests.bad_manifests.pods import BAD_PODS
from tests.bad_manifests.records import BAD_RECORDS
from tests.bad_manifests.sessions import BAD_SESSIONS
from tests.bad_manifests.steps import BAD_STEPS
from tests.bad_manifests.table import BadManifest, Document, changed, good_chip, good_session
from tests.bad_manifests.targets import BAD_TARGETS

__all__ = ["BAD_MANIFESTS", "BadManifest", "Document", "changed", "good_chip", "good_session"]

BAD_MANIFESTS = (*BAD_SESSIONS, *BAD_TARGETS, *BAD_STEPS, *BAD_RECORDS, *BAD_CHIPS, *BAD_PODS)
