"""Threads that read ahead and write behind: order, errors, and an end in every case."""

import ast
import threading
import time
from pathlib import Path

import pytest
import torch

import vidstyle
from vidstyle.errors import Cancelled, MediaError
from vidstyle.media.video.clip import ClipWriter
from vidstyle.media.video.overlap import WriteBehind, queue_depth
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer
from vidstyle.runtime.prefetch import MOST_HANDS, done_ahead, read_ahead

HANDING_ON = {"read_ahead", "done_ahead", "steadied", "restyled", "_with_flows"}


def worked_ahead(items):
    return done_ahead(lambda item: item, items)


pytestmark = pytest.mark.usefixtures("no_thread_is_left")


@pytest.fixture
def no_thread_is_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Source:
    """Numbers, made on demand; can fail; knows how many were made and whether it was closed."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.count, self.fails_at = count, fails_at
        self.made = 0
        self.closed = False
        self.threads = set()

    def items(self):
        try:
            for i in range(self.count):
                self.threads.add(threading.get_ident())
                if i == self.fails_at:
                    raise MediaError("picture 3 is damaged")
                self.made += 1
                yield i
        finally:
            self.closed = True


class Sink(ClipWriter):
    """Keeps what is written, and can fail or wait."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.written: list[int] = []
        self.fails_at = fails_at
        self.ended: list[str] = []
        self.gate = threading.Event()
        self.gate.set()

    def write(self, frame):
        self.gate.wait(10)
        if frame == self.fails_at:
            raise MediaError("the disk is full")
        self.written.append(frame)

    def commit(self):
        self.ended.append("commit")

    def abort(self):
        self.ended.append("abort")


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_reading_ahead_keeps_the_order(depth):
    source = Source(20)
    with read_ahead(source.items(), depth) as ahead:
        assert list(ahead) == list(range(20))
    assert threading.get_ident() not in source.threads
    assert source.closed


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_an_error_in_the_source_comes_after_what_was_good(depth):
    source = Source(20, fails_at=3)
    seen = []
    with read_ahead(source.items(), depth) as ahead:
        with pytest.raises(MediaError, match="picture 3"):
            seen.extend(ahead)
        assert seen == [0, 1, 2]
    assert source.closed


@pytest.mark.parametrize("depth", [1, 3])
def test_leaving_early_stops_and_closes_the_source(depth):
    source = Source(1000)
    with read_ahead(source.items(), depth) as ahead:
        assert [next(ahead), next(ahead)] == [0, 1]
    assert source.closed
    assert source.made <= 2 + depth


def test_waiting_can_be_broken_off():
    wanted = threading.Event()

    def slow():
        wanted.wait(10)
        yield 0

    def go_on():
        wanted.set()
        raise Cancelled("cancelled")

    with read_ahead(slow(), 1, go_on) as ahead, pytest.raises(Cancelled):
        next(ahead)


def test_no_more_than_depth_wait_in_memory():
    source = Source(1000)
    with read_ahead(source.items(), 4) as ahead:
        for item in ahead:
            assert source.made <= item + 1 + 4
            if item == 30:
                break


@pytest.fixture(params=[1, 2, 50])
def hands(request, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: request.param)
    return min(request.param, MOST_HANDS)


def test_work_is_done_by_other_threads_side_by_side_in_order(hands):
    workers = set()
    together = threading.Barrier(hands, timeout=20)

    def work(item):
        workers.add(threading.get_ident())
        together.wait()
        return item * item

    source = Source(12 * hands)
    with done_ahead(work, source.items()) as done:
        assert list(done) == [n * n for n in range(12 * hands)]
    assert len(workers) == hands
    assert not source.threads & {threading.get_ident(), *workers}
    assert source.closed


def test_what_is_made_and_waits_is_bounded():
    source = Source(1000)
    with done_ahead(lambda item: item, source.items(), hands=3, spare=2) as done:
        for item in done:
            assert source.made <= item + 1 + 3 + 2
            if item == 30:
                break


def test_an_error_in_the_source_comes_after_the_work_before_it():
    with done_ahead(lambda item: -item, Source(20, fails_at=3).items()) as done:
        assert [next(done) for _ in range(3)] == [0, -1, -2]
        with pytest.raises(MediaError, match="picture 3"):
            next(done)


def test_an_error_in_the_work_comes_after_what_was_good(hands):
    def work(item):
        return 1 // (3 - item)

    source = Source(1000)
    with done_ahead(work, source.items()) as done:
        assert [next(done) for _ in range(3)] == [0, 0, 1]
        with pytest.raises(ZeroDivisionError):
            next(done)
    assert source.closed
    assert source.made <= 3 + hands + 1


def test_leaving_early_waits_for_the_work_and_closes_the_source(hands):
    begun, ended = [], []

    def work(item):
        begun.append(item)
        time.sleep(0.01)
        ended.append(item)

    source = Source(1000)
    with done_ahead(work, source.items()) as done:
        next(done)
    assert sorted(begun) == sorted(ended)
    assert source.closed
    assert source.made <= 1 + hands + 1


@pytest.mark.parametrize("ahead", [lambda items: read_ahead(items, 2), worked_ahead])
def test_an_error_where_items_are_used_ends_the_threads(ahead):
    """Even while the error is held, whose traceback holds all that was suspended."""
    source = Source(1000)

    def use():
        with ahead(source.items()) as items:
            for item in items:
                if item == 3:
                    raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        use()
    assert source.closed


def test_nothing_hands_on_what_is_made_ahead_but_by_a_with():
    """A generator that is left suspended within such a ``with`` would leave its threads waiting."""
    bare = [
        f"{path.name}: {function.name}"
        for path in Path(vidstyle.__path__[0]).rglob("*.py")
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        and "contextmanager" not in map(ast.unparse, function.decorator_list)
        for block in ast.walk(function)
        if isinstance(block, ast.With)
        and any(isinstance(each, ast.Yield | ast.YieldFrom) for each in ast.walk(block))
        and any(HANDING_ON & names_in(item.context_expr) for item in block.items)
    ]
    assert not bare


def names_in(expression):
    return {each.id for each in ast.walk(expression) if isinstance(each, ast.Name)}


@pytest.mark.parametrize(
    ("size", "bits", "depth"),
    [((854, 480), 8, 16), ((3840, 2160), 8, 16), ((7680, 4320), 8, 5), ((7680, 4320), 16, 2)],
)
def test_few_large_frames_wait(info, size, bits, depth):
    width, height = size
    assert queue_depth(info(width=width, height=height, bits=bits), batch=8) == depth


def test_a_source_that_is_no_generator():
    for items in ([1, 2, 3], []):
        with read_ahead(items, 2) as ahead:
            assert list(ahead) == items


def test_a_clip_rendered_with_overlap_is_the_same(tmp_path, info, pan):
    movie = info()
    frames = pan(movie, 20)
    paths = str(tmp_path / "plain.mp4"), str(tmp_path / "overlapped.mp4")
    with open_writer(paths[0], movie) as writer:
        for frame in frames:
            writer.write(frame)
    with (
        WriteBehind(open_writer(paths[1], movie), 3) as writer,
        read_ahead(iter(frames), 3) as ahead,
    ):
        for frame in ahead:
            writer.write(frame)
    plain, overlapped = (list(open_clip(path).frames()) for path in paths)
    assert len(overlapped) == 20
    for a, b in zip(plain, overlapped, strict=True):
        assert (a.index, a.pts) == (b.index, b.pts)
        assert torch.equal(a.image, b.image)


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_writing_behind_writes_all_in_order_and_commits(depth):
    sink = Sink()
    with WriteBehind(sink, depth) as writer:
        for i in range(20):
            writer.write(i)
    assert sink.written == list(range(20))
    assert sink.ended == ["commit"]


@pytest.mark.parametrize("depth", [1, 3, 50])
def test_an_error_in_the_writer_is_raised_and_aborts(depth):
    sink = Sink(fails_at=3)

    def render():
        with WriteBehind(sink, depth) as writer:
            for i in range(20):
                writer.write(i)

    with pytest.raises(MediaError, match="the disk is full"):
        render()
    assert "commit" not in sink.ended
    assert "abort" in sink.ended


def test_an_error_beside_the_writer_drops_what_waits():
    sink = Sink()
    sink.gate.clear()

    def render():
        with WriteBehind(sink, 10) as writer:
            for i in range(10):
                writer.write(i)
            sink.gate.set()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        render()
    assert sink.ended == ["abort"]
    assert sink.written == list(range(len(sink.written)))


def test_the_writer_holds_back_a_fast_producer():
    sink = Sink()
    sink.gate.clear()
    writer = WriteBehind(sink, 2)
    writer.write(0)
    writer.write(1)
    blocked = threading.Thread(target=writer.write, args=(2,))
    blocked.start()
    blocked.join(0.05)
    assert blocked.is_alive()
    sink.gate.set()
    blocked.join(10)
    assert not blocked.is_alive()
    writer.commit()
    assert sink.written == [0, 1, 2]
