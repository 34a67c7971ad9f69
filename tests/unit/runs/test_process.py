"""A pid counts only together with its start time."""

from __future__ import annotations

import os
import subprocess

from cockpit.runs.process import boot_id, is_same_process, process_start_time, process_table, relatives
from tests.waiting import eventually


def test_a_process_is_the_same_only_with_its_start_time() -> None:
    me = os.getpid()
    started = process_start_time(me)

    assert started is not None
    assert is_same_process(me, started)
    assert not is_same_process(me, started + "0")
    assert boot_id() == boot_id() != "unknown"


def test_a_process_that_is_gone_or_a_zombie_has_no_start_time() -> None:
    child = subprocess.Popen(["sleep", "1000"])
    assert process_start_time(child.pid)

    child.kill()
    while not [p for p in process_table() if p.pid == child.pid and p.state == "Z"]:
        pass
    assert process_start_time(child.pid) is None
    child.wait()
    assert process_start_time(child.pid) is None


def test_a_name_with_brackets_and_spaces_hides_nothing(tmp_path: os.PathLike[str]) -> None:
    odd = os.path.join(tmp_path, "a) Z (b")
    os.symlink("/bin/sleep", odd)
    with subprocess.Popen([odd, "1000"]) as child:
        try:
            assert process_start_time(child.pid)
            assert [p.parent for p in process_table() if p.pid == child.pid] == [os.getpid()]
        finally:
            child.kill()


def test_relatives_are_the_group_without_its_leader() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 1000 & sleep 1000"], start_new_session=True) as leader:
        try:
            assert eventually(lambda: len(relatives(leader.pid, "COCKPIT_RUN=none")) == 2)
            assert leader.pid not in relatives(leader.pid, "COCKPIT_RUN=none")
        finally:
            os.killpg(leader.pid, 9)
