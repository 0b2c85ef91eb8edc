"""Where a task's inputs come from."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from kubecal.api.catalogue import TargetKind
from kubecal.api.request import GivenInput
from kubecal.records.results import InputOffers
from kubecal.records.results import Offer as RecordOffer
from kubecal_tasks.backends.registry import open_backend
from kubecal_tasks.framework import conversion
from kubecal_tasks.framework.declarations import InputParameter
from kubecal_tasks.framework.inputs import Candidate, InputValue, MissingInputError, Origin, Source, resolve
from tests.unit.kubecal_tasks.framework.test_main import a_request

FREQUENCY = InputParameter("qubit_frequency", "GHz", hint="CheckChevron")
LENGTH = InputParameter("readout_length", "ns", fallback=384.0)
T1 = InputParameter("t1", "us", required=False)
ORDER = tuple(origin for origin in Origin if origin is not Origin.FALLBACK)
QUBIT_3 = {"": "3"}
COUPLING = {"": "0-1", "control": "0", "target": "1"}


def qubit_3(declared: Sequence[InputParameter], sources: Sequence[Source]) -> dict[str, InputValue]:
    return resolve(declared, QUBIT_3, {"3": sources})


@pytest.mark.parametrize("count", range(1, len(ORDER) + 1))
def test_the_first_source_that_has_a_value_provides_it(count: int) -> None:
    sources = ORDER[-count:]
    offers = [(origin, {"qubit_frequency": Candidate(5.0 + k, 0.001, "GHz")}) for k, origin in enumerate(sources)]
    value = qubit_3([FREQUENCY], offers)["qubit_frequency"]
    assert (value.value, value.origin) == (5.0, sources[0])


def test_the_fallback_comes_last_and_is_said_to_be_one() -> None:
    assert qubit_3([LENGTH], [])["readout_length"].origin is Origin.FALLBACK
    offers = [(Origin.BACKEND, {"readout_length": Candidate(512.0, 0.0, "ns")})]
    assert qubit_3([LENGTH], offers)["readout_length"].value == 512.0


def test_a_missing_input_says_what_to_do() -> None:
    with pytest.raises(
        MissingInputError, match=r"^missing input qubit_frequency of qubit 3: run CheckChevron or set it$"
    ):
        qubit_3([FREQUENCY], [])


def test_an_optional_input_may_be_absent() -> None:
    assert qubit_3([T1], []) == {}


T1_AVERAGE = InputParameter("t1_average", "us", hint="CheckT1Average", instead="t1")


@pytest.mark.parametrize(
    ("known", "used"),
    [
        ({"t1_average": 31.0, "t1": 29.0}, ("t1_average", 31.0)),
        ({"t1_average": 31.0}, ("t1_average", 31.0)),
        ({"t1": 29.0}, ("t1", 29.0)),
    ],
)
def test_another_parameter_serves_where_the_one_wanted_is_not_known(
    known: dict[str, float], used: tuple[str, float]
) -> None:
    offers = [(Origin.PUBLISHED, {name: Candidate(value, 1.0, "us") for name, value in known.items()})]
    value = qubit_3([T1_AVERAGE], offers)["t1_average"]
    assert (value.name, value.value) == used, "the record names what was used"


def test_what_serves_instead_comes_after_every_source_of_the_one_wanted() -> None:
    offers = [
        (Origin.SESSION, {"t1": Candidate(29.0, 1.0, "us")}),
        (Origin.DESIGN, {"t1_average": Candidate(31.0, 1.0, "us")}),
    ]
    assert qubit_3([T1_AVERAGE], offers)["t1_average"].origin is Origin.DESIGN


def test_where_neither_is_known_both_are_named() -> None:
    with pytest.raises(MissingInputError, match=r"^missing input t1_average or t1 of qubit 3: run CheckT1Average or "):
        qubit_3([T1_AVERAGE], [])


def test_the_catalogue_knows_both_and_requires_neither() -> None:
    assert [(each.name, each.required) for each in T1_AVERAGE.entries()] == [("t1_average", False), ("t1", False)]
    assert [(each.name, each.required) for each in FREQUENCY.entries()] == [("qubit_frequency", True)]


def test_a_value_in_another_unit_is_converted() -> None:
    offers = [(Origin.DESIGN, {"qubit_frequency": Candidate(4910.0, 2.0, "MHz")})]
    value = qubit_3([FREQUENCY], offers)["qubit_frequency"]
    assert value.value == pytest.approx(4.91)
    assert value.error == pytest.approx(0.002)
    assert value.si_value == pytest.approx(4.91e9)


def test_the_version_that_was_read_is_kept_for_provenance() -> None:
    offers = [(Origin.PUBLISHED, {"t1": Candidate(30.0, 1.0, "us", "t1:chip:3:20261123-000:abc")})]
    assert qubit_3([T1], offers)["t1"].entity == "t1:chip:3:20261123-000:abc"


def test_a_coupling_task_takes_each_input_from_whom_it_belongs_to() -> None:
    declared = [
        InputParameter("qubit_frequency", "GHz", role="control"),
        InputParameter("qubit_frequency", "GHz", role="target"),
        InputParameter("cr_amplitude", "a.u."),
    ]
    offers = {
        "0": [(Origin.SESSION, {"qubit_frequency": Candidate(5.0, 0.0, "GHz")})],
        "1": [(Origin.PUBLISHED, {"qubit_frequency": Candidate(4.9, 0.0, "GHz")})],
        "0-1": [(Origin.DESIGN, {"cr_amplitude": Candidate(0.3, 0.0, "")})],
    }

    found = resolve(declared, COUPLING, offers)

    assert {key: (each.value, each.role, each.origin.value) for key, each in found.items()} == {
        "control_qubit_frequency": (5.0, "control", "session"),
        "target_qubit_frequency": (4.9, "target", "published"),
        "cr_amplitude": (0.3, "", "design"),
    }


@pytest.mark.parametrize(
    ("declared", "owners", "words"),
    [
        (InputParameter("cr_amplitude", "a.u."), COUPLING, "of coupling 0-1"),
        (InputParameter("t1", "us", role="target"), COUPLING, r"of qubit 1 \(target\)"),
        (InputParameter("t1", "us"), {"": "chip"}, "of the chip"),
    ],
)
def test_it_is_told_whose_input_is_missing(declared: InputParameter, owners: dict[str, str], words: str) -> None:
    with pytest.raises(MissingInputError, match=f"^missing input {declared.name} {words}: "):
        resolve([declared], owners, {})


def test_a_role_is_only_for_coupling_tasks() -> None:
    with pytest.raises(ValueError, match="only coupling tasks know"):
        resolve([InputParameter("t1", "us", role="control")], QUBIT_3, {})


def offered(value: float, cooldown: str = "2026-11") -> dict[str, RecordOffer]:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return {"qubit_frequency": RecordOffer("qubit_frequency", value, 0.001, "GHz", at, "", cooldown)}


@pytest.mark.parametrize(
    ("present", "measured", "origin"),
    [
        ("2026-11", "2026-11", Origin.PUBLISHED),
        ("2026-11", "2026-10", Origin.PRIOR),
        ("2026-11", "", Origin.PRIOR),
        ("", "2026-10", Origin.PUBLISHED),
        ("", "", Origin.PUBLISHED),
    ],
)
def test_what_was_published_in_another_cool_down_is_a_prior(present: str, measured: str, origin: Origin) -> None:
    request = a_request("Scripted", {})
    request = request.model_copy(update={"chip": request.chip.model_copy(update={"cooldown": present})})
    offers = {"0": InputOffers(published=offered(5.0, measured))}

    sources = conversion.sources(request, open_backend(request), offers)

    assert resolve([FREQUENCY], {"": "0"}, sources)["qubit_frequency"].origin is origin


def test_everything_that_may_provide_an_input_is_asked_in_its_order() -> None:
    request = a_request("Scripted", {}, overrides={"0": {"qubit_frequency": GivenInput(value=6.0)}})
    design = {"qubits": {"0": {"qubit_frequency": {"value": 5.5}}}}
    request = request.model_copy(update={"chip": request.chip.model_copy(update={"design": design})})
    offers = {"0": InputOffers(snapshot=offered(5.9), session=offered(5.8), published=offered(5.7))}

    sources = conversion.sources(request, open_backend(request), offers)["0"]

    values = [(origin, held["qubit_frequency"].value) for origin, held in sources if "qubit_frequency" in held]
    assert values[:-1] == [
        (Origin.OVERRIDE, 6.0), (Origin.SNAPSHOT, 5.9), (Origin.SESSION, 5.8), (Origin.PUBLISHED, 5.7),
        (Origin.DESIGN, 5.5),
    ]  # fmt: skip
    assert values[-1][0] is Origin.BACKEND


def test_a_coupling_is_offered_by_hand_and_by_design_what_belongs_to_it() -> None:
    by_hand = {"0-1": {"cr_amplitude": GivenInput(value=0.4, error=0.1)}}
    request = a_request("ScriptedCoupling", {}, kind=TargetKind.COUPLING, target="0-1", overrides=by_hand)
    design = {"couplings": {"0-1": {"cr_phase": {"value": 0.1}}}}
    sites = tuple(request.chip.sites[0].model_copy(update={"id": one}) for one in ("0", "1"))
    chip = request.chip.model_copy(update={"design": design, "sites": sites})
    request = request.model_copy(update={"chip": chip})

    sources = conversion.sources(request, open_backend(request), {})

    held = {name: (origin, each.value) for origin, has in sources["0-1"] for name, each in has.items()}
    assert held == {"cr_amplitude": (Origin.OVERRIDE, 0.4), "cr_phase": (Origin.DESIGN, 0.1)}
    assert conversion.owners(request, "0-1") == COUPLING
