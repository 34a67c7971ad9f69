"""A run's terminal is this one: every byte there and back, and no mode left behind."""

from __future__ import annotations

import base64
import json
import os
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from screens.terminal_relay import Relay, RelayEnd
from tests.waiting import PATIENCE_S, eventually, wait_until


class Bench:
    """A pseudo terminal on one side, a run's folder on the other, the relay between them in a thread."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.person, self._terminal = os.openpty()
        os.mkfifo(run / "control")
        self.control = os.open(run / "control", os.O_RDWR | os.O_NONBLOCK)
        self.before = termios.tcgetattr(self._terminal)
        self.end: RelayEnd | None = None
        self._thread = threading.Thread(target=self._relay)
        self._heard = b""

    def _relay(self) -> None:
        self.end = Relay(self.run, 0, self._terminal, self._terminal).until_over()

    def start(self) -> None:
        self._thread.start()

    def told(self) -> list[dict[str, object]]:
        try:
            self._heard += os.read(self.control, 1 << 16)
        except BlockingIOError:
            pass
        return [json.loads(line) for line in self._heard.splitlines()]

    def typed(self) -> bytes:
        return b"".join(base64.b64decode(str(message["input"])) for message in self.told() if "input" in message)

    def close(self) -> None:
        (self.run / "exit.json").touch()
        self._thread.join(PATIENCE_S)
        for descriptor in (self.person, self._terminal, self.control):
            os.close(descriptor)

    @property
    def modes(self) -> list[object]:
        return list(termios.tcgetattr(self._terminal))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_output_comes_byte_for_byte_and_the_end_gives_the_terminal_back(bench: Bench) -> None:
    said = b"\x1b[31mred\x1b[0m \xff\xfe tail"
    (bench.run / "output").write_bytes(said)
    bench.start()
    assert os.read(bench.person, 1 << 16) == said
    (bench.run / "exit.json").touch()
    wait_until(lambda: bench.end is RelayEnd.ENDED)
    assert bench.modes == list(bench.before)


def test_keys_reach_the_run_whole_and_in_order(bench: Bench) -> None:
    bench.start()
    wait_until(lambda: bench.modes != list(bench.before))
    typed = b"ls\x03\x1b[A" + bytes(range(1, 29)) + "가".encode() * 200
    os.write(bench.person, typed)
    wait_until(lambda: bench.typed() == typed)
    assert any("resize" in message for message in bench.told())


def test_ctrl_bracket_leaves_the_run_alone(bench: Bench) -> None:
    bench.start()
    wait_until(lambda: bench.modes != list(bench.before))
    os.write(bench.person, b"abc\x1d")
    wait_until(lambda: bench.end is RelayEnd.LEFT)
    assert bench.typed() == b"abc"
    assert not (bench.run / "exit.json").exists()


def test_keys_wait_for_a_run_that_does_not_listen_yet(tmp_path: Path) -> None:
    late = tmp_path / "late"
    late.mkdir()
    made = Bench(late)
    os.close(made.control)
    (late / "control").unlink()
    made.start()
    wait_until(lambda: made.modes != list(made.before))
    os.write(made.person, b"early")
    os.mkfifo(late / "control")
    made.control = os.open(late / "control", os.O_RDWR | os.O_NONBLOCK)
    assert eventually(lambda: made.typed() == b"early")
    made.close()
