"""Several chips: those that are one hardware in two namespaces, and those of two hardwares on one module."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from kubecal.api.request import TaskRequest
from kubecal.api.wires import WireKind
from tests.controller.lab import Lab
from tests.controller.lives import Life, lives, overlaps
from tests.controller.podsim import Play, PodSimulator

Json = dict[str, Any]
Simulated = Callable[..., PodSimulator]
SIXTEEN = {"squareLattice": {"rows": 4, "columns": 4, "muxSize": 4}}
FRIDGE: Json = {"topology": SIXTEEN, "hardwareId": "the-fridge"}


def _on(*qubits: str, **spec: Any) -> Json:
    return {"tasks": ("CheckT1",), "targets": {"qubits": list(qubits)}, "lock": {"scope": "Targets"}, **spec}


async def test_one_hardware_in_two_namespaces_is_held_and_waited_for_across_them(
    lab: Lab, annex: Lab, simulated: Simulated
) -> None:
    lab.start_operator()
    await lab.apply_chip(**FRIDGE)
    await annex.apply_chip("fridge-z", **FRIDGE)
    line: list[PodSimulator] = []
    async with simulated(lambda request: Play(seconds=600)) as here, simulated(None, annex) as there:
        there.driving = here.driving
        line = [here, there]
        await lab.apply_session("corner", **_on("0"))
        await lab.phase("Running", name="corner")

        # Disjoint: side by side, each on the chip of its namespace.
        await annex.apply_session("far", **_on("15", chip="fridge-z"))
        await annex.phase("Completed", name="far")

        # Touching: it waits and says for whom, in the words of its own namespace.
        await annex.apply_session("touching", **_on("0", "15", chip="fridge-z", priority=1))
        status = await annex.phase("Queued", name="touching")
        elsewhere = f"{lab.namespace}/corner"
        assert status["waitingFor"]["session"] == elsewhere
        assert status["message"] == f"waits for session {elsewhere}, which holds qubit 0"
        assert (await annex.condition("ChipHeld", "Held", name="touching"))["message"] == status["message"]
        (wait,) = await annex.until(lambda: _waiting(annex, "touching", "ChipHeld"), "waits of touching")
        assert (wait["tasks"], wait["message"]) == (2, status["message"])

        # Behind it: what the head of the line needs is reserved, though nobody holds it.
        await lab.apply_session("behind", **_on("15"))
        status = await lab.phase("Queued", name="behind")
        before = f"{annex.namespace}/touching"
        assert status["message"] == f"waits for session {before}, which is before it in the queue and needs qubit 15"
        queue = await lab.until(lambda: _queue(lab, "fridge-a", 1), "the queue of fridge-a")
        assert queue == [{"session": "behind", "position": 2, "waitsFor": before}]
        assert await _queue(annex, "fridge-z", 1) == [{"session": "touching", "position": 1, "waitsFor": elsewhere}]
        assert (await lab.chip_holders(), await annex.chip_holders("fridge-z")) == (["corner"], [])

        here.script = lambda request: Play()
        await lab.patch_session("corner", {"cancel": True})
        await lab.phase("Cancelled", name="corner")
        await annex.phase("Completed", name="touching")
        await lab.phase("Completed", name="behind")
    assert [clash for simulator in line for clash in simulator.clashes] == []
    assert overlaps(_lives(lab, annex)) == []
    assert await lab.chip_holders() == await annex.chip_holders("fridge-z") == []


async def test_an_old_session_of_low_priority_comes_after_a_stream_of_urgent_ones(
    lab: Lab, annex: Lab, simulated: Simulated
) -> None:
    lab.start_operator()
    await lab.apply_chip(**FRIDGE)
    await annex.apply_chip("fridge-z", **FRIDGE)
    await lab.apply_session("first", **_on("0"))
    await lab.phase("Running", name="first")
    await lab.apply_session("patient", **_on("0", "15"))
    status = await lab.phase("Queued", name="patient")
    assert status["waitingFor"]["session"] == "first"
    await annex.apply_session("urgent-1", **_on("0", chip="fridge-z", priority=5))
    await annex.apply_session("urgent-2", **_on("15", chip="fridge-z", priority=5))

    # Nobody holds qubit 15, and of those who ask for it the one that is more urgent gets it, though it came later.
    await annex.phase("Running", name="urgent-2")
    queue = await lab.until(lambda: _queue(lab, "fridge-a", 1), "the queue of fridge-a")
    assert queue == [{"session": "patient", "position": 2, "waitsFor": "first"}]
    waits = await annex.until(lambda: _queue(annex, "fridge-z", 1), "the queue of fridge-z")
    assert waits == [{"session": "urgent-1", "position": 1, "waitsFor": f"{lab.namespace}/first"}]

    async with simulated(), simulated(None, annex):
        await lab.phase("Completed", name="first")
        for number in (1, 2):
            await annex.phase("Completed", name=f"urgent-{number}")
        await lab.phase("Completed", name="patient")
    ended = [life.name for life in sorted(_lives(lab, annex), key=lambda life: life.born)]
    assert [name.split("-check")[0] for name in ended[-2:]] == ["patient", "patient"]
    assert overlaps(_lives(lab, annex)) == []


async def test_two_chips_on_one_module_take_turns_and_say_for_whom_they_wait(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    wiring = {"muxes": [{"id": 0, "readout": ["R1"], "control": ["C1"], "exclusive": True}]}
    for chip in ("fridge-a", "fridge-b"):
        await lab.apply_chip(chip, wiring=wiring)
    async with simulated(lambda request: Play(seconds=600)) as simulator:
        simulator.line = _on_one_module
        await lab.apply_session("on-a", tasks=("CheckT1",))
        await lab.until(lambda: _driven(simulator), "a measurement")
        await lab.apply_session("on-b", tasks=("CheckT1",), chip="fridge-b")
        (held,) = [one["metadata"]["labels"]["kubecal.io/target"] for one in await lab.pods()]
        (wait,) = await lab.until(lambda: _waiting(lab, "on-b", "WaitsForWire"), "waits for a wire")
        assert wait["message"] in {
            f"module {one} is held by CheckT1 on {held} of session on-a on chip fridge-a" for one in ("R1", "C1")
        }
        simulator.script = lambda request: Play()
        (pod,) = await lab.pods()
        await simulator.delete(pod["metadata"]["name"])
        for name in ("on-a", "on-b"):
            await lab.phase("Completed", name=name)
    every = lives(lab.audit())
    assert overlaps([replace(life, wires=_modules(life)) for life in every]) == []
    order = [life.name.split("-check")[0] for life in every]
    assert len(order) == 9
    # The one that was deleted is measured again. None of the chips has the module all the time.
    assert order[1:7] == ["on-b", "on-a"] * 3


# ---------------------------------------------------------------- what is seen


def _modules(life: Life) -> tuple[Any, ...]:
    return tuple(wire for wire in life.wires if wire.kind is WireKind.MODULE)


def _lives(*labs: Lab) -> Sequence[Life]:
    return lives([event for one in labs for event in one.audit()])


async def _waiting(lab: Lab, name: str, reason: str) -> list[Json]:
    return [one for one in (await lab.status(name)).get("waits", []) if one["reason"] == reason]


async def _queue(lab: Lab, chip: str, length: int) -> list[Json]:
    queue: list[Json] = (await lab.chip_status(chip)).get("queue", [])
    return queue if len(queue) == length else []


async def _driven(simulator: PodSimulator) -> bool:
    return bool(simulator.driving)


def _on_one_module(request: TaskRequest, qubit: str) -> str:
    """Both chips drive the same line: what is driven together there overlaps."""
    return "R1"
