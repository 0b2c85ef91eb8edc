"""A session from its manifest to its end, against a real API server and a real database."""

from __future__ import annotations

from collections.abc import Callable

from tests.controller.lab import Lab
from tests.controller.podsim import PodSimulator

Simulated = Callable[..., PodSimulator]


async def test_session_of_one_qubit_completes(lab: Lab, simulated: Simulated) -> None:
    lab.start_operator()
    await lab.apply_chip()
    await lab.apply_session(targets={"qubits": ["0"]})
    async with simulated():
        status = await lab.phase("Completed")
    assert status["progress"] == "6/6"
