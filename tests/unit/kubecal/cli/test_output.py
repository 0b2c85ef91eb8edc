import errno
import os
from pathlib import Path

import pytest

from kubecal.cli.marks import QubitState
from kubecal.cli.output import Output, console_on


def test_a_reader_that_left_is_told_once_and_nothing_is_raised() -> None:
    read_end, write_end = os.pipe()
    lost: list[OSError] = []
    with open(write_end, "w") as stream:
        output = Output(stream, lost.append)
        os.close(read_end)
        for _ in range(3):
            output.write("line\n")
            output.flush()

    assert [type(error) for error in lost] == [BrokenPipeError]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the kernel has no /dev/full")
def test_a_full_disk_is_told_with_its_reason() -> None:
    lost: list[OSError] = []
    with open("/dev/full", "w") as stream:
        output = Output(stream, lost.append)
        output.write("line\n")
        output.flush()

    assert [error.errno for error in lost] == [errno.ENOSPC]


def test_signs_that_the_encoding_lacks_are_written_in_others(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        Output(stream).write("31.2 ± 0.8 μs\n")

    assert (tmp_path / "out").read_text() == "31.2 +- 0.8 ?s\n"


def test_signs_of_the_live_view_stay_one_character_each_and_different(tmp_path: Path) -> None:
    signs = [state.value.sign for state in QubitState]
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        Output(stream).write("".join(signs))

    written = (tmp_path / "out").read_text()
    assert "?" not in written
    assert len(set(written)) == len(signs)


def test_in_a_pipe_lines_are_neither_wrapped_nor_padded(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as stream:
        console = console_on(Output(stream))
        console.print("word " * 100)

    assert (tmp_path / "out").read_text() == ("word " * 100).rstrip() + "\n"
