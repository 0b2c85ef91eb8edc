"""Where running sessions listen."""

from __future__ import annotations

import socket
from pathlib import Path

from kubecal.local.control.sockets import connected, listening, names
from kubecal.local.installation import runs_folder


def test_who_listens_is_found_and_reached_also_in_a_folder_with_a_long_path(tmp_path: Path) -> None:
    folder = tmp_path / ("deep-" * 20) / ("deeper-" * 20)
    with listening(folder) as server:
        (name,) = names(folder)
        client = connected(folder, name)
        assert client is not None
        server.setblocking(True)
        with client, server.accept()[0] as other:
            other.sendall(b"hello")
            client.setblocking(True)
            assert client.recv(5) == b"hello"
    assert names(folder) == []


def test_nobody_else_can_look_into_the_folder_or_connect(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir(mode=0o755)
    with listening(tmp_path):
        runs = runs_folder(tmp_path)
        (name,) = names(tmp_path)
        assert runs.stat().st_mode & 0o077 == 0
        assert (runs / name).stat().st_mode & 0o077 == 0


def test_the_socket_of_a_run_that_was_killed_is_removed_by_whoever_finds_it(tmp_path: Path) -> None:
    left = runs_folder(tmp_path) / "4711-abcd.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(left))
    assert names(tmp_path) == ["4711-abcd.sock"]

    assert connected(tmp_path, "4711-abcd.sock") is None

    assert names(tmp_path) == []


def test_a_run_that_has_just_ended_is_nobody(tmp_path: Path) -> None:
    assert connected(tmp_path, "4711-abcd.sock") is None
