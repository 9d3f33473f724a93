"""What every writer promises."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.frame import Frame
from vidstyle.media.video.codecs import CODECS
from vidstyle.media.video.encoder import check_encoder
from vidstyle.media.video.evenness import check_even
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

WRITERS = [
    ("out.mp4", "h264"),
    ("out.mov", "prores"),
    ("out.mp4", "hevc"),
    ("out.mkv", "ffv1"),
    ("out.mp4", "ffv1"),
    ("out.mov", "prores-4444"),
    ("out.mov", "dnxhr-hqx"),
    ("out.mp4", "av1"),
    ("out.avi", "ffv1"),
    ("out.mxf", "dnxhr-hqx"),
    ("shot.%04d.png", None),
    ("shot.####.jpg", None),
]
MOVIES = WRITERS[:10]
TIMED = WRITERS[:8]
LOSSLESS = [
    ("out.mkv", "ffv1"), ("out.mp4", "ffv1"), ("out.avi", "ffv1"), ("shot.%04d.png", None)
]  # fmt: skip
# Height and width below which an encoder refuses.
LEAST = {"hevc": (48, 48), "dnxhr-hqx": (120, 256), "av1": (4, 4)}


@pytest.fixture(autouse=True)
def quiet_av1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SVT_LOG", "1")


@pytest.fixture(scope="session")
def info(info):
    """As of the folder, as large as the codec needs."""

    def make(*size: int, codec: str | None = None, **fields: object):
        least = LEAST.get(codec or "", (0, 0))
        return info(*(size or (max(72, least[0]), max(96, least[1]))), **fields)

    return make


def _render(target, codec, info, frames, source=None):
    with open_writer(str(target), info, codec=codec, source=source) as writer:
        for frame in frames:
            writer.write(frame)
    return open_clip(str(target))


def _level(image: torch.Tensor) -> torch.Tensor:
    """Code values on a scale of 255."""
    return image.float() * (255 / torch.iinfo(image.dtype).max)


@pytest.mark.parametrize(("name", "codec"), WRITERS)
@pytest.mark.parametrize("bits", [8, 16])
def test_frames_come_back(tmp_path, info, pan, name, codec, bits):
    movie = info(codec=codec, bits=bits)
    frames = pan(movie, 9)
    back = list(_render(tmp_path / name, codec, movie, frames).frames())
    assert len(back) == 9
    for written, read in zip(frames, back, strict=True):
        assert read.size == written.size
        assert (_level(read.image) - _level(written.image)).abs().mean() < 3


@pytest.mark.parametrize(("name", "codec"), LOSSLESS)
@pytest.mark.parametrize("bits", [8, 16])
def test_lossless_outputs_give_back_every_bit(tmp_path, info, name, codec, bits):
    movie = info(75, 101, bits=bits)
    noise = np.random.default_rng(bits).integers(0, 2**bits, (75, 101, 3))
    image = torch.from_numpy(noise.astype(np.uint8 if bits == 8 else np.uint16))
    frame = Frame(image, 0, 0, movie.time_base)
    (read,) = _render(tmp_path / name, codec, movie, [frame]).frames()
    assert read.image.dtype == image.dtype
    assert torch.equal(read.image, image)


@pytest.mark.parametrize(("name", "codec"), TIMED)
def test_times_are_exact(tmp_path, info, pan, name, codec):
    # Frames a prime number of ticks apart: variable rate.
    movie = info(codec=codec, start_pts=640)
    steps = np.cumsum([0, 512, 1024, 509, 4099, 512, 30, 700, 512, 512])
    frames = [
        replace(frame, pts=640 + int(step))
        for frame, step in zip(pan(movie, 10), steps, strict=True)
    ]
    back = list(_render(tmp_path / name, codec, movie, frames).frames())
    # Matroska counts in milliseconds.
    slack = Fraction(1, 2000) if name.endswith(".mkv") else 0
    assert [abs(a.time - b.time) <= slack for a, b in zip(frames, back, strict=True)] == [True] * 10


@pytest.mark.parametrize(("name", "codec"), TIMED)
def test_a_part_starts_where_the_whole_would(tmp_path, info, pan, name, codec):
    movie = info(codec=codec, start_pts=1280)
    back = list(_render(tmp_path / name, codec, movie, pan(movie, 9)[4:]).frames())
    assert len(back) == 5
    assert back[0].time == Fraction(1, 10)


@pytest.mark.parametrize(("name", "codec"), WRITERS)
def test_one_frame_makes_a_clip(tmp_path, info, pan, name, codec):
    movie = info(codec=codec)
    assert len(list(_render(tmp_path / name, codec, movie, pan(movie, 1)).frames())) == 1


@pytest.mark.parametrize(("name", "codec"), WRITERS)
@pytest.mark.parametrize("size", [(75, 101), (76, 101), (75, 100), (1, 1)])
def test_odd_sizes_are_kept(tmp_path, info, pan, name, codec, size):
    least = LEAST.get(codec, (1, 1))
    size = max(size[0], least[0] + size[0] % 2), max(size[1], least[1] + size[1] % 2)
    movie = info(*size)
    reader = _render(tmp_path / name, codec, movie, pan(movie, 2))
    assert reader.info.size == size
    assert {frame.size for frame in reader.frames()} == {size}


@pytest.mark.parametrize(
    ("name", "codec", "kept"),
    [
        ("out.mp4", "h264", True),
        ("out.mkv", "h264", True),
        ("out.mp4", "hevc", True),
        ("out.mov", "prores", True),
        ("out.mkv", "ffv1", False),
    ],
)
def test_pixels_that_are_not_square_stay_so_or_are_told(
    tmp_path, info, pan, caplog, name, codec, kept
):
    movie = info(sample_aspect=Fraction(16, 11))
    reader = _render(tmp_path / name, codec, movie, pan(movie, 2))
    assert reader.info.sample_aspect == (Fraction(16, 11) if kept else 1)
    assert ("loses the pixels' aspect" in caplog.text) is not kept


@pytest.mark.parametrize(("name", "codec"), MOVIES)
def test_nothing_bears_the_outputs_name_before_commit(tmp_path, info, pan, name, codec):
    movie = info(codec=codec)
    writer = open_writer(str(tmp_path / name), movie, codec=codec)
    for frame in pan(movie, 4):
        writer.write(frame)
    assert [path.name[0] for path in tmp_path.iterdir()] == ["."]
    writer.commit()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    writer.abort()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(("name", "codec"), MOVIES)
def test_a_failure_leaves_no_file_and_keeps_the_old_output(tmp_path, info, pan, name, codec):
    (tmp_path / name).write_text("the last good render")
    movie = info(codec=codec)
    frame = pan(movie, 1)[0]

    def render():
        with open_writer(str(tmp_path / name), movie, codec=codec) as writer:
            writer.write(frame)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        render()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the last good render"


@pytest.mark.parametrize(("name", "codec"), WRITERS)
def test_a_frame_of_another_size_is_refused(tmp_path, info, pan, name, codec):
    movie = info(codec=codec)
    with pytest.raises(UsageError, match="another size"):
        _render(tmp_path / name, codec, movie, pan(info(64, 64), 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("name", "codec"), MOVIES)
def test_frames_out_of_order_and_no_frames_are_refused(tmp_path, info, pan, name, codec):
    movie = info(codec=codec)
    first, second = pan(movie, 2)
    with pytest.raises(UsageError, match="comes after a later one"):
        _render(tmp_path / name, codec, movie, [second, first])
    with pytest.raises(MediaError, match="no frame to write"):
        _render(tmp_path / name, codec, movie, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows deletes no open file")
@pytest.mark.parametrize("name", ["out.mp4", "out.mov"])
def test_a_cancelled_file_is_not_finished_first(tmp_path, info, pan, name):
    """What is written is not copied once more, to put its index first."""
    movie = info()
    writer = open_writer(str(tmp_path / name), movie)
    for frame in pan(movie, 4):
        writer.write(frame)
    (path,) = tmp_path.iterdir()
    with path.open("rb") as unfinished:
        writer.abort()
        assert b"moov" not in unfinished.read()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_render_leaves_only_a_hidden_file(tmp_path):
    script = f"""
import os, signal, torch
from fractions import Fraction
from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.writer import open_writer

info = ClipInfo("", 64, 64, Fraction(25), Fraction(1, 25), 0, None, None, "h264", "yuv420p", 8,
                ColourTags())
writer = open_writer({str(tmp_path / "out.mp4")!r}, info)
for i in range(60):
    writer.write(Frame(torch.zeros(64, 64, 3, dtype=torch.uint8), i, i, info.time_base))
os.kill(os.getpid(), signal.SIGKILL)
"""
    root = Path(__file__).parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.name[0] for path in tmp_path.iterdir()] == ["."]


@pytest.mark.parametrize(
    ("source", "codec", "expected"),
    [
        ("yuv420p", "h264", "yuv420p"),
        ("yuv422p", "h264", "yuv422p"),
        ("yuv444p", "h264", "yuv444p"),
        ("yuv420p10le", "h264", "yuv420p10le"),
        ("yuv422p10le", "hevc", "yuv422p10le"),
        ("yuv444p12le", "hevc", "yuv444p12le"),
        ("yuv444p12le", "h264", "yuv444p10le"),
        ("nv12", "h264", "yuv420p"),
        ("gray", "h264", "yuv420p"),
        ("bgr0", "h264", "yuv444p"),
        ("yuv420p", "h264-10bit", "yuv420p10le"),
        ("yuv422p", "hevc-10bit", "yuv422p10le"),
        ("yuv444p12le", "av1", "yuv420p10le"),
        ("yuv420p", "prores-4444", "yuv444p12le"),
        ("yuva420p", "prores-4444", "yuva444p12le"),
        ("yuva420p", "ffv1", "bgra"),
        ("yuva444p12le", "ffv1", "gbrap16le"),
        ("yuv420p", "ffv1", "bgr0"),
        ("yuv420p10le", "ffv1", "gbrp16le"),
        ("yuv420p", "prores", "yuv422p10le"),
    ],
)
def test_chroma_and_depth_follow_the_source(tmp_path, info, pan, source, codec, expected):
    form = av.VideoFormat(source)
    alpha = any(component.is_alpha for component in form.components)
    movie = info(pix_fmt=source, bits=form.components[0].bits, alpha=alpha)
    reader = _render(tmp_path / "out.mkv", codec, movie, pan(movie, 2))
    assert reader.info.pix_fmt == expected


@pytest.mark.parametrize(
    ("name", "codec", "message"),
    [
        ("out.mp4", "divx", r"--codec divx: no such preset; \.mp4 takes h264, .*av1, ffv1"),
        (
            "out.mp4",
            "prores",
            r"\.mp4 cannot hold it; choose h264, .*or end the output.s name in \.mov or \.mkv$",
        ),
        ("out.mov", "ffv1", r"end the output's name in \.mkv or \.mp4 or \.avi$"),
        ("out.wmv", None, r"\.wmv cannot be written; end the name in \.mp4"),
        ("out", None, "a name without a suffix cannot be written"),
        ("shot.####.png", "h264", r"\.png pictures take none"),
        ("shot.####.webm", None, r"\.webm cannot be written"),
    ],
)
def test_codecs_and_containers_that_do_not_go_together(tmp_path, info, name, codec, message):
    with pytest.raises(UsageError, match=message):
        open_writer(str(tmp_path / name), info(), codec=codec)
    assert list(tmp_path.iterdir()) == []


def test_mxf_refuses_rates_that_it_has_no_code_for(tmp_path, info):
    with pytest.raises(UsageError, match=r"no rate of 15 frames a second; end the name in \.mov"):
        open_writer(str(tmp_path / "out.mxf"), info(120, 256, rate=Fraction(15)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.avi", "out.mxf"])
def test_counted_frames_cannot_come_at_uneven_times(tmp_path, info, pan, name):
    movie = info(120, 256)
    frames = pan(movie, 4)
    frames[2] = replace(frames[2], pts=frames[2].pts + 300)
    with pytest.raises(UsageError, match=r"uneven times, as at frame 2; end the name in \.mkv"):
        _render(tmp_path / name, None, movie, frames)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["out.avi", "out.mxf"])
@pytest.mark.parametrize("source", ["in.mkv", "in.####.png"])
def test_uneven_times_are_found_out_before_work(tmp_path, info, pan, name, source):
    movie = info()
    with open_writer(str(tmp_path / source), movie) as writer:
        for frame in pan(movie, 9):
            if frame.index not in (4, 7):
                writer.write(frame)
    clip = open_clip(str(tmp_path / source)).info
    with pytest.raises(UsageError, match=r"uneven times, as at frame 4; end the name in \.mkv"):
        check_even(name, clip, 0, None)
    with pytest.raises(UsageError, match="uneven times, as at frame 6"):
        check_even(name, clip, 4, None)
    check_even(name, clip, 4, 6)
    check_even("out.mov", clip, 0, None)


@pytest.mark.parametrize(
    ("codec", "size", "reason"),
    [
        ("av1", (2, 64), "shorter than 4 pixels"),
        ("hevc", (14, 20), "shorter than 48 pixels"),
        ("dnxhr-hqx", (72, 96), "at least 256x120"),
    ],
)
def test_an_encoder_that_refuses_the_clip_is_found_out_before_work(info, codec, size, reason):
    with pytest.raises(UsageError, match=f"--codec {codec}: cannot encode.*{reason}"):
        check_encoder(CODECS[codec], info(*size))
    check_encoder(CODECS["h264"], info(*size))


def test_timecode_counts_on(tmp_path, info, pan):
    movie = info(timecode="10:00:00:20")
    frames = pan(movie, 12)
    for name in ("out.mp4", "out.mov", "out.mkv"):
        assert _render(tmp_path / name, None, movie, frames).info.timecode == "10:00:00:20"
    assert _render(tmp_path / "out.mp4", None, movie, frames[7:]).info.timecode == "10:00:01:02"
