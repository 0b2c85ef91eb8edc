import itertools
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.process import end, run, spawn, succeeds, wait_until


def test_what_a_program_prints_is_returned() -> None:
    assert run(["cat"], given=b"words") == "words"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["sh", "-c", "echo first; echo trouble >&2; exit 3"], "ended with code 3:\ntrouble"),
        (["no-such-program"], "cannot run 'no-such-program'.*install it"),
    ],
)
def test_a_program_that_fails_says_why(command: list[str], message: str) -> None:
    with pytest.raises(ClusterError, match=message):
        run(command)
    assert not succeeds(command)


def test_a_program_that_hangs_is_ended() -> None:
    with pytest.raises(ClusterError, match=r"did not end within 0\.01 s"):
        run(["sleep", "60"], timeout_s=0.01)


def test_a_server_is_ended_even_if_it_does_not_want_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = spawn(["sh", "-c", "trap '' TERM; echo ready; while :; do read x < /dev/zero; done"], log)
    wait_until(lambda: log.read_text() == "ready\n", "the trap", timeout_s=5, every_s=0.001)
    end(process, patience_s=0.01)
    assert process.returncode == -9


def test_waiting_ends_when_the_condition_comes() -> None:
    looks = itertools.count()
    wait_until(lambda: next(looks) == 3, "the fourth look", timeout_s=5, every_s=0)
    assert next(looks) == 4


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(ClusterError, match="the readiness of etcd did not happen within 0 s"):
        wait_until(lambda: False, "the readiness of etcd", timeout_s=0)
