"""Manifests: what is read, and what is refused with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubecal.api.catalogue import built_in_catalogue
from kubecal.api.manifests import ManifestError, Manifests, load_manifests, parse_manifest
from kubecal.engine.plan import plan_session
from tests.bad_manifests import BAD_MANIFESTS, BadManifest, changed, good_chip, good_session

CHIP_TEXT = """\
apiVersion: kubecal.io/v1alpha1
kind: Chip
metadata: {name: fridge-a}
spec:
  topology: {squareLattice: {rows: 2, columns: 2}}
  backend: {name: fake, config: {priors: {frequencyMHz: 5e-1}, since: 2026-11-23, seed: 7}}
"""


def refusal(document: object) -> list[str]:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(document, "file.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize("bad", BAD_MANIFESTS, ids=lambda bad: f"{bad.kind}: {bad.name}")
def test_one_mistake_is_refused_with_one_sentence(bad: BadManifest) -> None:
    document = bad.document()
    place = f"{bad.place}: " if bad.place else ""
    assert refusal(document) == [f"file.yaml, {bad.kind} {document['metadata']['name']}: {place}{bad.sentence}"]


@pytest.mark.parametrize("document", [good_chip(), good_session()], ids=["chip", "session"])
def test_what_the_table_starts_from_is_accepted(document: dict[str, object]) -> None:
    assert parse_manifest(document, "file.yaml").kind == document["kind"]


def test_every_mistake_is_said_at_once() -> None:
    document = changed(good_session(), {"spec.priority": -1, "spec.chip": "", "spec.steps.0.tasks.0.task": ""})
    assert refusal(document) == [
        "file.yaml, CalibrationSession morning: spec.chip: must not be empty",
        "file.yaml, CalibrationSession morning: spec.steps[0].tasks[0].task: must not be empty",
        "file.yaml, CalibrationSession morning: spec.priority: must be at least 0, not -1",
    ]


def test_tasks_may_be_plain_names() -> None:
    session = parse_manifest(changed(good_session(), {"spec.steps.0.tasks": ["CheckT1", {"task": "CheckRabi"}]}), "")
    assert session.kind == "CalibrationSession"
    assert [entry.task for entry in session.spec.steps[0].tasks] == ["CheckT1", "CheckRabi"]


def test_tasks_that_park_may_be_plain_names() -> None:
    session = parse_manifest(changed(good_session(), {"spec.parking": {"tasks": ["Configure", {"task": "Park"}]}}), "")
    assert session.kind == "CalibrationSession"
    assert session.spec.parking is not None
    assert [entry.task for entry in session.spec.parking.tasks] == ["Configure", "Park"]


def test_null_is_absence_as_on_an_api_server() -> None:
    nulls = {"spec.priority": None, "spec.deadlines": {"taskSeconds": None}, "spec.steps.0.targets": None}
    assert parse_manifest(changed(good_session(), nulls), "") == parse_manifest(good_session(), "")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ([], "is a list, not a mapping with apiVersion and kind"),
        ({"kind": "Chip"}, "apiVersion is missing: write kubecal.io/v1alpha1"),
        ({"apiVersion": "v1", "kind": "Pod"}, "apiVersion is 'v1': write kubecal.io/v1alpha1"),
        ({"apiVersion": "kubecal.io/v1alpha1", "kind": "Chips"}, "kind is 'Chips': write Chip or CalibrationSession"),
        ({"apiVersion": "kubecal.io/v1alpha1", "kind": ["Chip"]}, "kind is ['Chip']: write Chip or CalibrationSession"),
    ],
)
def test_what_is_neither_kind_is_refused(document: object, sentence: str) -> None:
    assert refusal(document) == [f"file.yaml: {sentence}"]


def written(folder: Path, text: str) -> Path:
    file = folder / "file.yaml"
    file.write_text(text)
    return file


def test_a_file_holds_any_number_of_documents(tmp_path: Path) -> None:
    file = written(tmp_path, f"---\n{CHIP_TEXT}---\n---\n{CHIP_TEXT.replace('fridge-a', 'fridge-b')}")
    assert [chip.metadata.name for chip in load_manifests([file]).chips] == ["fridge-a", "fridge-b"]


def test_yaml_is_read_as_kubectl_reads_it(tmp_path: Path) -> None:
    (chip,) = load_manifests([written(tmp_path, CHIP_TEXT)]).chips
    assert chip.spec.backend.config == {"priors": {"frequencyMHz": 0.5}, "since": "2026-11-23", "seed": 7}


def test_a_mapping_may_override_what_it_merges_in(tmp_path: Path) -> None:
    text = CHIP_TEXT.replace("seed: 7", "<<: {seed: 7, drift: true}, seed: 8")
    (chip,) = load_manifests([written(tmp_path, text)]).chips
    assert (chip.spec.backend.config["seed"], chip.spec.backend.config["drift"]) == (8, True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            CHIP_TEXT.replace("seed: 7", "seed: 7, seed: 8"),
            "line 6, column 92: the key 'seed' stands twice: remove one",
        ),
        ("a: [1", "line 1, column 6: is not YAML (expected ',' or ']', but got '<stream end>'): correct it"),
        (CHIP_TEXT + "---\n" + CHIP_TEXT, ", document 2: Chip 'fridge-a' is described twice: remove one"),
        ("a: !!python/object:os.system {}", "is not YAML (could not determine a constructor"),
    ],
    ids=["key twice", "no YAML", "object twice", "a tag"],
)
def test_a_file_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ManifestError) as caught:
        load_manifests([written(tmp_path, text)])
    assert str(caught.value).startswith(str(tmp_path / "file.yaml"))
    assert sentence in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read \\(No such file or directory\\): check the path"):
        load_manifests([tmp_path / "nowhere.yaml"])


EXAMPLES = sorted(Path("examples").glob("*.yaml"))
CHIP = Path("examples/chip.yaml")
"""Of all examples that bring no chip of their own."""


def _example(file: Path) -> Manifests:
    alone = load_manifests([file])
    return alone if alone.chips else load_manifests([CHIP, file])


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_are_good_manifests(file: Path) -> None:
    manifests = _example(file)
    assert {session.spec.chip for session in manifests.sessions} <= {chip.metadata.name for chip in manifests.chips}


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_the_examples_can_be_planned(file: Path) -> None:
    manifests = _example(file)
    chips = {chip.metadata.name: chip for chip in manifests.chips}
    for session in manifests.sessions:
        chip = chips[session.spec.chip]
        plan = plan_session(session.spec, chip.metadata.name, chip.spec, built_in_catalogue())
        assert plan.tasks
        assert not plan.problems
