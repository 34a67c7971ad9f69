"""Whatever happens between two polls, in whatever order: every line once, in order, or a mark that says otherwise."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cockpit.monitor.logs.file import LogFile
from cockpit.monitor.logs.framing import Framing
from cockpit.monitor.logs.line_store import LineStore
from cockpit.monitor.logs.page import Sieve
from cockpit.monitor.logs.raw_tail import Chunk, RawTail

Act = tuple[str, int]
_ACTS = st.lists(
    st.tuples(st.sampled_from(["write", "half", "poll", "rotate", "wait"]), st.integers(1, 50)), max_size=60
)
_BLOCKS = st.lists(st.sampled_from([b"a", "가".encode(), b"\n", b"\r\n", b"long" * 40, b"\x85\x0b"]), max_size=40)


class World:
    """A log, its writer and a tail on it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "app.log"
        self.path.touch()
        self.now = 0.0
        self.tail = RawTail(self.path, start="beginning", clock=lambda: self.now)
        self.tail.poll()
        self.written = b""
        self.seen = b""
        self.number = 0
        self.rotations = 0

    def write(self, count: int) -> None:
        lines = b"".join(b"line %d\n" % n for n in range(self.number, self.number + count))
        self.number += count
        self._append(lines)

    def half(self, count: int) -> None:
        self._append(b"x" * count)

    def rotate(self, _count: int) -> None:
        self._append(b"\n")
        self.poll(0)  # a file that comes and goes between two polls can't be known of
        self.rotations += 1
        self.path.rename(self.path.with_suffix(f".{self.rotations}"))
        self.path.touch()
        self.poll(0)

    def wait(self, count: int) -> None:
        self.now += count / 10

    def poll(self, _count: int) -> None:
        more = True
        while more:
            batch = self.tail.poll()
            more = batch.more
            self.seen += b"".join(piece.data for piece in batch.pieces if isinstance(piece, Chunk))

    def end(self) -> None:
        self._append(b"\n")
        for _ in range(200):
            self.poll(0)
            self.now += 1
        self.tail.close()

    def _append(self, data: bytes) -> None:
        self.written += data
        with self.path.open("ab") as file:
            file.write(data)


@given(_ACTS)
def test_every_byte_of_whole_lines_comes_once_and_in_order_through_rotations(acts: list[Act]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        does: dict[str, Callable[[int], None]] = {
            "write": world.write,
            "half": world.half,
            "poll": world.poll,
            "rotate": world.rotate,
            "wait": world.wait,
        }
        for act, count in acts:
            does[act](count)
        world.end()
        assert world.seen == world.written


@given(_BLOCKS, st.lists(st.integers(0, 400), max_size=8))
def test_where_a_stream_is_cut_makes_no_difference_to_its_lines(blocks: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(blocks)
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    framing = Framing()
    lines = b"".join(framing.feed(stream[a:b]) for a, b in pairwise(places))
    assert (lines + framing.partial()).replace(b"\r", b"") == stream.replace(b"\r", b"")


@given(_BLOCKS, st.integers(2, 30))
def test_a_file_gives_the_same_lines_backwards_and_forwards(blocks: list[bytes], times: int) -> None:
    data = b"".join(blocks) * times * 100 + b"end\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "app.log"
        path.write_bytes(data)
        store = LineStore(keep_lines=300)
        store.attach(LogFile.open(path), len(data))
        last, first = store.last(), store.first()
        assert last
        assert first
        forever = float("inf")
        older = [place.page.line(place.index) for place in store.backward(last, Sieve(), forever)][::-1]
        newer = [place.page.line(place.index) for place in store.forward(first, Sieve(), forever)]
        store.close()
    assert older == newer == data.split(b"\n")[:-1]
