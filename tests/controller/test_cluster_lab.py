"""A cluster as people see it from their own computer: with their kubeconfig, their rights, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest

from kubecal.api.manifests import parse_manifest
from kubecal.api.session import CalibrationSession
from kubecal.cluster.lab import ClusterLab
from kubecal.lab.lab import Change, LabError, NotFoundInLabError, RefusedError, Sight
from kubecal.reading.records import NotRecordedError, RecordsError
from tests.controller.lab import Lab
from tests.controller.people import entered, expose, start_api, with_role
from tests.controller.podsim import Play, PodSimulator

Simulated = Callable[..., PodSimulator]
TWO = ("CheckRabi", "CheckT1")


def a_session(name: str = "morning", *tasks: str, **spec: object) -> CalibrationSession:
    steps = [{"name": "check", "tasks": [{"task": task} for task in tasks or TWO]}]
    body = {"chip": "fridge-a", "targets": {"all": True}, "steps": steps, **spec}
    document = {"apiVersion": "kubecal.io/v1alpha1", "kind": "CalibrationSession", "spec": body}
    parsed = parse_manifest({**document, "metadata": {"name": name}}, "test")
    assert isinstance(parsed, CalibrationSession)
    return parsed


@pytest.fixture
async def alice(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ClusterLab]:
    """The lab of an experimenter, with an operator and a chip."""
    expose(lab, "operator", lab.start_operator().port)
    start_api(lab)
    await lab.apply_chip()
    async with entered(lab, with_role(lab, "alice", "experimenters"), monkeypatch) as place:
        yield place


async def seen(sights: AsyncIterator[Sight], kept: list[Sight] | None = None) -> list[Sight]:
    """All there is to see, kept as it comes."""
    found = kept if kept is not None else []
    async for sight in sights:
        found.append(sight)
    return found


async def test_a_session_is_created_followed_to_its_end_and_read(
    alice: ClusterLab, lab: Lab, simulated: Simulated
) -> None:
    async with simulated(lambda _: Play(seconds=0.3)):
        standing = await alice.create(a_session())
        assert (standing.name, standing.namespace, standing.deleting) == ("morning", lab.namespace, False)
        sights = await asyncio.wait_for(seen(alice.follow("morning")), 60)

    last = sights[-1]
    assert last.session.status.phase == "Completed"
    assert len(last.tasks) == 8
    assert {one.status for one in last.tasks} == {"completed"}
    assert [one.task for one in last.tasks] == ["CheckRabi"] * 4 + ["CheckT1"] * 4, "in the plan's order"
    assert last.chip is not None
    assert not last.problem
    assert any("running" in {one.status for one in sight.tasks} for sight in sights), "also what goes on is seen"

    execution = last.session.status.execution_id
    assert (await alice.session("morning")).status.execution_id == execution
    assert [one.name for one in await alice.sessions()] == ["morning"]
    assert [one.name for one in await alice.chips()] == ["fridge-a"]
    (found,) = await alice.records.executions(session="morning")
    assert (found.execution_id, found.phase) == (execution, "Completed")
    results = await alice.records.results(execution)
    t1 = next(one for one in results if one.task == "CheckT1" and one.qid == "0")
    assert [(one.name, one.value) for one in t1.outputs] == [("t1", 30.0)]
    assert await alice.records.result(t1.task_id) == t1
    current = await alice.records.parameters("fridge-a")
    assert [one.target for one in current if one.name == "t1"] == ["0", "1", "2", "3"]
    assert [one.value for one in await alice.records.history("fridge-a", "0", "t1")] == [30.0]
    now = datetime.now(UTC)
    assert await alice.records.parameters_at("fridge-a", now) == current
    assert not await alice.records.parameters_at("fridge-a", now - timedelta(days=1))
    assert [one.execution_id for one in await alice.records.executions(before=now)] == [execution]
    assert not await alice.records.executions(before=found.created_at)
    assert await alice.records.chips() == {"fridge-a": 4}
    assert [one async for one in alice.records.figures(execution)] == []
    with pytest.raises(NotRecordedError, match=f"did you mean {execution}"):
        await alice.records.execution(execution[:-1] + "9")
    assert (await alice.explain("morning")).succeeded == 8


async def test_a_session_is_changed_while_it_runs(alice: ClusterLab, lab: Lab, simulated: Simulated) -> None:
    async with simulated(lambda _: Play(seconds=600)):
        await alice.create(a_session(open=True, targets={"qubits": ["0"]}))
        await lab.phase("Running")
        step = {"name": "more", "tasks": [{"task": "CheckT1"}]}
        standing = await alice.change("morning", Change(suspend=True, note="look", tags=["a"], append_steps=[step]))
        assert standing.session.spec.suspend
        assert (standing.session.spec.note, standing.session.spec.tags) == ("look", ("a",))
        assert [one.name for one in standing.session.spec.steps] == ["check", "more"]
        assert await alice.change("morning", Change()) == await alice.session("morning"), "no change changes nothing"
        following = asyncio.create_task(seen(alice.follow("morning")))
        await alice.change("morning", Change(suspend=False, cancel=True))
        sights = await asyncio.wait_for(following, 60)
    assert sights[-1].session.status.phase == "Cancelled"
    assert "running" not in {one.status for one in sights[-1].tasks}


async def test_a_session_that_is_deleted_is_followed_to_how_it_ended(
    alice: ClusterLab, lab: Lab, simulated: Simulated
) -> None:
    async with simulated(lambda _: Play(seconds=600)):
        await alice.create(a_session())
        await lab.phase("Running")
        following = asyncio.create_task(seen(alice.follow("morning")))
        await alice.delete("morning")
        sights = await asyncio.wait_for(following, 60)
    assert sights[-1].session.status.phase == "Cancelled"
    assert sights[-1].session.deleting
    await lab.gone()
    with pytest.raises(NotFoundInLabError, match=rf"no session 'morning' in {alice.where}: there is no session there"):
        await alice.session("morning")


async def test_a_lost_connection_is_said_and_got_over(alice: ClusterLab, lab: Lab, simulated: Simulated) -> None:
    kept: list[Sight] = []

    async def first() -> bool:
        return bool(kept)

    async def problem() -> bool:
        return bool(kept and kept[-1].problem)

    async def none() -> bool:
        return not await problem()

    await alice.create(a_session("waiting", suspend=True))
    await lab.phase("Suspended", name="waiting")
    following = asyncio.create_task(seen(alice.follow("waiting"), kept))
    await lab.until(first, "a first sight")
    await asyncio.to_thread(lab.control_plane.stop_apiserver)
    try:
        await lab.until(problem, "a problem that is told")
        assert "the cluster does not answer" in kept[-1].problem or "connection" in kept[-1].problem
    finally:
        # Not in a thread: the server would end with it.
        lab.control_plane.start_apiserver()
    await lab.until(none, "the end of the problem")
    await alice.change("waiting", Change(cancel=True))
    sights = await asyncio.wait_for(following, 60)
    assert sights[-1].session.status.phase == "Cancelled"


@pytest.mark.parametrize(
    ("session", "sentence"),
    [
        (a_session("morning"), "session 'morning' exists already: give this one another name, or delete that one"),
        (
            a_session("other").model_copy(
                update={"metadata": a_session().metadata.model_copy(update={"namespace": "x"})}
            ),
            "the manifest says namespace 'x', and this is namespace lab-",
        ),
    ],
)
async def test_a_session_that_cannot_be_is_refused(
    alice: ClusterLab, session: CalibrationSession, sentence: str
) -> None:
    await alice.create(a_session("morning", suspend=True))
    with pytest.raises(RefusedError) as refused:
        await alice.create(session)
    assert str(refused.value).startswith(sentence)


async def test_a_change_that_cannot_be_is_refused_in_the_api_servers_words(alice: ClusterLab) -> None:
    await alice.create(a_session(suspend=True, cancel=True))
    with pytest.raises(RefusedError) as refused:
        await alice.change("morning", Change(cancel=False))
    assert "cancel" in str(refused.value)
    assert "Invalid value" not in str(refused.value)
    assert "is invalid" not in str(refused.value)
    step = {"name": "more", "tasks": [{"task": "CheckT1", "shots": 3}]}
    with pytest.raises(RefusedError, match=r'^unknown field "spec\.steps\[1\]\.tasks\[0\]\.shots"'):
        await alice.change("morning", Change(append_steps=[step]))
    with pytest.raises(NotFoundInLabError, match=r"no session 'mornin' in .*: did you mean morning"):
        await alice.change("mornin", Change(cancel=True))
    with pytest.raises(NotFoundInLabError, match=r"no session 'evening' in .*: there is morning"):
        await alice.delete("evening")


async def test_a_name_is_found_for_a_session_without_one(alice: ClusterLab) -> None:
    nameless = a_session(flowName="T1_watch", suspend=True)
    nameless = nameless.model_copy(update={"metadata": nameless.metadata.model_copy(update={"name": ""})})
    standing = await alice.create(nameless)
    assert standing.name.startswith("t1-watch-")


async def test_a_viewer_reads_and_changes_nothing(
    alice: ClusterLab, lab: Lab, monkeypatch: pytest.MonkeyPatch, simulated: Simulated
) -> None:
    async with simulated():
        await alice.create(a_session(targets={"qubits": ["0"]}))
        await lab.phase("Completed")
    async with entered(lab, with_role(lab, "bob", "viewers"), monkeypatch) as viewing:
        (execution,) = await viewing.records.executions()
        assert len(await viewing.records.results(execution.execution_id)) == 2
        assert (await seen(viewing.follow("morning")))[-1].session.status.phase == "Completed"
        place, role = f"in namespace '{lab.namespace}'", "ask for the ClusterRole kubecal-experimenter there"
        for act, verb in (
            (viewing.create(a_session("evening")), "create"),
            (viewing.change("morning", Change(note="x")), "patch"),
            (viewing.delete("morning"), "delete"),
        ):
            with pytest.raises(RefusedError) as refused:
                await act
            assert str(refused.value) == f"user 'bob' may not {verb} calibrationsessions {place}: {role}"


async def test_who_has_no_role_learns_which_right_is_missing(
    alice: ClusterLab, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with entered(lab, lab.control_plane.user_kubeconfig("mallory"), monkeypatch) as strange:
        with pytest.raises(
            RefusedError, match=r"'mallory' may not list calibrationsessions in .* kubecal-viewer there"
        ):
            await strange.sessions()
        with pytest.raises(RefusedError, match="'mallory' may not get calibrationsessions in"):
            await seen(strange.follow("morning"))
        with pytest.raises(RecordsError, match="you may not ask kubecal-api: you need the right to get services/proxy"):
            await strange.records.executions()


async def test_a_cluster_without_our_service_says_where_to_look(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    async with entered(lab, lab.control_plane.kubeconfig, monkeypatch) as place:
        with pytest.raises(RecordsError, match=r"there is no kubecal-api in namespace .* \(no Service 'kubecal-api'\)"):
            await place.records.executions()
        with pytest.raises(LabError, match=r"there is no operator in namespace .* \(no Service 'kubecal-operator'\)"):
            await place.explain("morning")
