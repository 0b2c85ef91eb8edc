"""Whatever happens, in whatever order: one process on a wire, no attempt twice, nothing charged twice, and an end.

A failure prints the steps that led to it; ``@reproduce_failure`` in what it prints repeats it. ``KUBECAL_WORLDS`` is
how many worlds are tried: more than by default where the engine was changed.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kubecal.api.request import Verdict
from kubecal.engine.model import PodView
from tests.unit.kubecal.engine.builders import chip, session
from tests.unit.kubecal.engine.rows import OPEN
from tests.unit.kubecal.engine.world import GRACE_S, World

_AT_REST_AFTER, _OVER_AFTER = 30, 400
"""Passes: of one moment, and of a world that has become kind."""
_ANY = st.integers(min_value=0, max_value=1_000)
_MODES = st.sampled_from(["Isolated", "Parallel", "Serial"])
_SCOPES = st.sampled_from(["Chip", "Targets"])
_AGAIN = st.integers(0, 2)
_POLICIES = st.sampled_from(["StopTarget", "Continue", "StopSession"])


_BATCHES = st.sampled_from(["None", "Mux", "All"])
_ON_EMPTY = st.sampled_from(["Stop", "Skip", "Fail"])
_KINDS = {
    "qubits": ["Rabi", "T1"],
    "computations": ["T1", "Compute"],
    "mux": ["Rabi", "Readout", "T1"],
    "gates": ["Many", "filter", "Cross", "T1"],
    "gates twice": ["Readout", "Cross", "Cross", "Configure"],
    "changes": ["Many", "set", "Many", "filter", "Readout"],
    "chip": ["Cross", "Configure", "Many"],
}
_SORTS = st.sampled_from(sorted(_KINDS))


def _step(name: str, task: str, batch: str, on_empty: str, body: dict[str, Any]) -> dict[str, Any]:
    """A step of one task, of its kind."""
    if task == "filter":
        return {"name": name, "filter": {"metric": "quality", "min": 0.9, "onEmpty": on_empty}}
    if task == "set":
        return {"name": name, "set": {"qubits": {"0": {"quality": {"value": 0.9}}}}}
    step: dict[str, Any] = {"name": name, "tasks": [{"task": task}], **body}
    if task == "Many":
        step["batch"] = batch
    if task == "Cross":
        step["targets"] = {"couplings": {"auto": True}}
    if task == "Configure":
        step["targets"] = {"chip": True}
    return step


class Worlds(RuleBasedStateMachine):
    """Two sessions on four qubits, and everything that can come in between."""

    @initialize(
        mode=_MODES,
        beside=_MODES,
        policy=_POLICIES,
        scope=_SCOPES,
        barrier=st.booleans(),
        again=_AGAIN,
        sorts=st.tuples(_SORTS, _SORTS),
        batch=_BATCHES,
        on_empty=_ON_EMPTY,
        parks=st.booleans(),
        mux_size=st.sampled_from([1, 4]),
    )
    def begin(
        self,
        mode: str,
        beside: str,
        policy: str,
        scope: str,
        barrier: bool,
        again: int,
        sorts: tuple[str, str],
        batch: str,
        on_empty: str,
        parks: bool,
        mux_size: int,
    ) -> None:
        views = []
        for name, schedule, sort in (("morning", mode, sorts[0]), ("evening", beside, sorts[1])):
            body = {"schedule": {"mode": schedule}, "barrier": barrier}
            steps = [_step(f"s{place}", each, batch, on_empty, body) for place, each in enumerate(_KINDS[sort])]
            # Disjoint, or touching in the one they share.
            qubits = ["0", "1", "3"] if scope == "Chip" or name == "morning" else ["2", "3"]
            rules: dict[str, Any] = {"onTargetFailure": policy, "lock": {"scope": scope}, "retry": {"limit": again}}
            if parks:
                rules["parking"] = {"tasks": [{"task": "Rabi"}, {"task": "Configure"}], "seconds": 120}
            views.append(session(name, steps=steps, targets={"qubits": qubits}, suspendHoldSeconds=30, **rules))
        # With MUXes of their own couplings run side by side, and qubits beside couplings.
        self.world = World(chip(topology={"squareLattice": {"rows": 2, "columns": 2, "muxSize": mux_size}}), views)

    # ------------------------------------------------------------------ the driver

    @rule(passes=st.integers(1, 4))
    def go_on(self, passes: int) -> None:
        for _ in range(passes):
            self.world.step()

    @rule(writes=st.integers(0, 8))
    def die_in_the_midst(self, writes: int) -> None:
        self.world.step(writes)

    @rule()
    def restart(self) -> None:
        self.world.restart()

    @rule()
    def come_to_rest(self) -> None:
        """Deciding on what it has done itself, the engine comes to an end of what there is to do."""
        for _ in range(_AT_REST_AFTER):
            if self.world.step().empty:
                return
        raise AssertionError(f"after {_AT_REST_AFTER} passes there is still something to do: {self.world.step()}")

    @rule(what=st.sampled_from(["refused", "unanswered", "action"]))
    def the_next_create_goes_wrong(self, what: str) -> None:
        """It is refused for good, or nobody hears what became of it; or the next change of records is not possible."""
        if what == "action":
            self.world.fail_next_action = True
        elif what == "refused":
            self.world.refuse_next = True
        else:
            self.world.silent_next = True

    @rule()
    def silence_ends(self) -> None:
        self.world.memory.unseen.clear()

    @rule(seconds=st.sampled_from([0.5, 2.0, 20.0, 61.0, 601.0]))
    def wait(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    # ------------------------------------------------------------------ pods and processes

    def _pods(self, **wanted: Any) -> list[PodView]:
        return [
            view
            for view in self.world.pods.values()
            if all((getattr(view, name) is not None) is there for name, there in wanted.items())
        ]

    @rule()
    def all_that_succeeded_are_swept(self) -> None:
        for uid in self.world.refs:
            self.world.remove_succeeded(uid)

    @precondition(lambda self: self._pods(started_at=False, deleting_since=False))
    @rule(which=_ANY, claims=st.booleans())
    def start(self, which: int, claims: bool) -> None:
        waiting = self._pods(started_at=False, deleting_since=False)
        view = waiting[which % len(waiting)]
        self.world.start(view.name)
        if claims:
            self.world.claim(view.uid)

    @precondition(lambda self: any(not one.drives for one in self.world.processes.values()))
    @rule(which=_ANY)
    def claim(self, which: int) -> None:
        idle = [one.uid for one in self.world.processes.values() if not one.drives]
        self.world.claim(idle[which % len(idle)])

    @precondition(lambda self: any(one.drives for one in self.world.processes.values()))
    @rule(
        which=_ANY,
        verdict=st.sampled_from([Verdict.OK, Verdict.OK, Verdict.NO_SIGNAL]),
        how=st.sampled_from(["well", "well", "well", "lies", "fails afterwards", "crashes"]),
        dice=st.integers(0, 255),
    )
    def end(self, which: int, verdict: Verdict, how: str, dice: int) -> None:
        driving = [one.uid for one in self.world.processes.values() if one.drives]
        uid = driving[which % len(driving)]
        if how == "crashes":
            self.world.crash(uid)
        else:
            stores, exit_code = how != "lies", int(how == "fails afterwards")
            self.world.finish(uid, verdict, stores=stores, exit_code=exit_code, dice=dice)

    @precondition(lambda self: self.world.pods)
    @rule(which=_ANY, how=st.sampled_from(["evict", "delete", "stop", "force", "sweep", "lose"]))
    def disturb(self, which: int, how: str) -> None:
        views = list(self.world.pods.values())
        view = views[which % len(views)]
        if how == "evict" and view.terminated is None and view.node:
            self.world.interrupt(view.name, "EvictionByEvictionAPI")
        elif how == "delete":
            self.world.delete(view.name)
        elif how == "stop" and view.deleting_since is not None and view.terminated is None:
            self.world.interrupt(view.name)
        elif how == "force" or (how == "sweep" and view.terminated is not None):
            self.world.remove(view.name)
        elif how == "lose" and view.node:
            self.world.pods[view.name] = replace(view, node_lost=not view.node_lost)

    # ------------------------------------------------------------------ people

    @rule(which=_ANY, deletes=st.booleans())
    def cancel(self, which: int, deletes: bool) -> None:
        views = [one for one in self.world.sessions.values() if one.deleted_at is None]
        # Rarely, or nothing ever comes to its own end.
        if not views or which % 4:
            return
        view = views[which % len(views)]
        self.world.cancel(view, deletes=deletes)

    @rule(which=_ANY)
    def suspend_or_resume(self, which: int) -> None:
        views = list(self.world.sessions.values())
        if views:
            view = views[which % len(views)]
            self.world.suspend(view, view.spec is not None and not view.spec.suspend)

    @rule(which=_ANY)
    def delete_the_chip(self, which: int) -> None:
        if which % 20 == 1:
            self.world.chips.clear()

    # ------------------------------------------------------------------ what holds

    @invariant()
    def nothing_is_broken(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        """From now on everybody is kind, and everything must come to its end."""
        if not hasattr(self, "world"):
            return
        world = self.world
        world.refuse_next = world.silent_next = world.fail_next_action = False
        world.memory.unseen.clear()
        for view in list(world.sessions.values()):
            world.suspend(view, False)
        for _ in range(_OVER_AFTER):
            self._kindly()
            world.pass_time(GRACE_S)
            if world.step().empty and world.over:
                break
        assert world.over, f"no end: {[view.status for view in world.sessions.values()]}"
        left = {attempt for attempt, one in world.rows.items() if one.status in OPEN}
        assert not left, "rows are open although their session has ended"
        world.check_ended()
        assert world.step().empty

    def _kindly(self) -> None:
        world = self.world
        for name, view in list(world.pods.items()):
            world.pods[name] = view = replace(view, node_lost=False)
            if view.deleting_since is not None:
                if view.terminated is None:
                    world.interrupt(name)
                world.remove(name)
            elif view.started_at is None and view.terminated is None:
                world.start(name)
        for uid, process in list(world.processes.items()):
            if process.drives or world.claim(uid):
                world.finish(uid, Verdict.OK, dice=1)


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(
    max_examples=int(os.environ.get("KUBECAL_WORLDS", "120")),
    stateful_step_count=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
