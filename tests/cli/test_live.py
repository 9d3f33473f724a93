"""``vidstyle live``, from a file that plays to a file, a stream and a window."""

import re
import shutil
import socket
import threading
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from vidstyle.errors import Cancelled
from vidstyle.live.sink import Recording


@pytest.fixture
def arguments(shot, style_picture, tiny_model) -> list[object]:
    return ["live", shot.clip, "--style", style_picture, "--model", tiny_model, "--height", 64]


def test_a_recording(vidstyle, arguments, tmp_path) -> None:
    done = vidstyle(*arguments, "-o", tmp_path / "live.mp4")
    assert done.code == 0, done.err
    with av.open(str(tmp_path / "live.mp4")) as clip:
        times = [frame.time for frame in clip.decode(video=0)]
        assert (clip.streams.video[0].height, clip.streams.video[0].width) == (64, 106)
    assert done.out.startswith(f"{len(times)} frames of 106x64 in ")
    assert len(times) >= 1
    assert times == sorted(set(times))
    shown, dropped, before = map(int, re.findall(r"(\d+) (?:frames|dropped|before)", done.out))
    assert shown + dropped + before == 16


def test_the_codec_that_is_asked_for(vidstyle, arguments, tmp_path) -> None:
    done = vidstyle(*arguments, "-o", tmp_path / "live.mkv", "--codec", "ffv1")
    assert done.code == 0, done.err
    with av.open(str(tmp_path / "live.mkv")) as clip:
        assert clip.streams.video[0].codec_context.name == "ffv1"


def test_an_interrupt_ends_it_whole(vidstyle, arguments, tmp_path, monkeypatch) -> None:
    show = Recording.show

    def interrupted(self: Recording, frame, told) -> bool:
        show(self, frame, told)
        raise Cancelled("cancelled")

    monkeypatch.setattr(Recording, "show", interrupted)
    done = vidstyle(*arguments, "-o", tmp_path / "live.mp4")
    assert done.code == 0, done.err
    with av.open(str(tmp_path / "live.mp4")) as clip:
        assert sum(1 for _ in clip.decode(video=0)) == 1


def test_a_stream(vidstyle, arguments) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sizes: list[tuple[int, int]] = []

    def receive() -> None:
        with av.open(f"udp://127.0.0.1:{port}?timeout=2000000", format="mpegts") as received:
            for frame in received.decode(video=0):
                sizes.append((frame.height, frame.width))
                return

    receiver = threading.Thread(target=receive)
    receiver.start()
    done = vidstyle(*arguments, "-o", f"udp://127.0.0.1:{port}?pkt_size=1316")
    receiver.join()
    assert done.code == 0, done.err
    assert sizes == [(64, 106)]


def test_a_window_tells_the_latency_and_closes_on_q(vidstyle, arguments, monkeypatch) -> None:
    shown: list[np.ndarray] = []
    keys = iter([255, ord("q")])
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(cv2, "imshow", lambda _, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda _: next(keys))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "destroyAllWindows", lambda: None)
    done = vidstyle(*arguments)
    assert done.code == 0, done.err
    assert len(shown) <= 2
    assert "latency" in done.out
    if len(shown) == 2:  # the first picture has nothing to tell yet
        told, untold = ((picture[6:18] > 200).all(-1).sum() for picture in shown[::-1])
        assert told > untold + 40


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ([], 2, "no screen to open a window on"),
        (["-o", "gopher://x"], 2, "-o gopher://x: cannot send to gopher://"),
        (["-o", "rtmp://127.0.0.1:9/x"], 3, "nothing receives the stream"),
        (["-o", "x.xyz"], 2, "x.xyz"),
        (["-o", "x.avi"], 2, "-o x.avi: cannot hold pictures as they come"),
        (["-o", "x.png"], 2, "-o x.png: cannot hold pictures as they come"),
        (["-o", "x.mp4", "--codec", "prores"], 2, "--codec prores"),
        (["--codec", "h264"], 2, "--codec h264: only for files; name one with -o"),
        (["-o", "nowhere/x.mp4"], 2, "there is no folder nowhere"),
        (["--object", "dragon"], (4, 6), "dragon"),
    ],
)
def test_what_cannot_be(vidstyle, arguments, monkeypatch, more, code, message) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    done = vidstyle(*arguments, *more)
    assert done.code in (code if isinstance(code, tuple) else (code,)), done.err
    assert message in done.err
    assert done.err.count("\n") == 1


def test_a_file_is_replaced_only_on_request(vidstyle, arguments, tmp_path) -> None:
    target = tmp_path / "live.mkv"
    target.write_bytes(b"mine")
    done = vidstyle(*arguments, "-o", target)
    assert (done.code, target.read_bytes()) == (2, b"mine")
    assert f"{target}: exists; add --overwrite" in done.err
    assert vidstyle(*arguments, "-o", target, "--overwrite").code == 0
    assert target.stat().st_size > 1000


def test_the_source_is_never_replaced(vidstyle, arguments, tmp_path) -> None:
    source = tmp_path / "source.mkv"
    shutil.copy(arguments[1], source)
    done = vidstyle("live", source, *arguments[2:], "-o", source, "--overwrite")
    assert done.code == 2
    assert "the output is the input itself" in done.err
    assert source.read_bytes() == Path(arguments[1]).read_bytes()
