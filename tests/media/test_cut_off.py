"""Footage that breaks off is told of, and healthy footage is not."""

from dataclasses import replace
from pathlib import Path

import av
import pytest

from vidstyle.errors import MediaError
from vidstyle.media.video.clip import Damage
from vidstyle.media.video.cut_off import missing_bytes
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

MOVIES = ["out.mp4", "out.mov", "out.mkv", "out.avi"]
REAL = [
    *("01_dog.mp4", "bt709_full_range.mp4", "fire2.mp4", "h264_10bits.mp4", "h265_10bits.mp4"),
    *("no_duration.webm", "smpte-2997.mp4", "transparent.webm", "unordered.mov", "video_90.mov"),
]


def damage(path: Path) -> Damage:
    reader = open_clip(str(path))
    for _ in reader.frames():
        pass
    return reader.damage


@pytest.fixture
def movie(tmp_path, info, pan):
    """A clip of 40 frames at uneven times, the last held for two seconds, in a container."""

    def make(name: str) -> Path:
        description = info()
        frames = pan(description, 40, step=1)
        if not name.endswith(".avi"):
            frames = [replace(f, pts=f.pts + 100 * (f.index % 3)) for f in frames]
            end = (frames[-1].pts + 25_600) * description.time_base
            description = replace(description, duration=end)
        with open_writer(str(tmp_path / name), description) as writer:
            for frame in frames:
                writer.write(frame)
        return tmp_path / name

    return make


@pytest.mark.parametrize("name", MOVIES)
def test_a_file_that_breaks_off_anywhere_is_told_of(movie, tmp_path: Path, name: str) -> None:
    path = movie(name)
    assert not damage(path)
    content = path.read_bytes()
    told = 0
    for share in (0.3, 0.6, 0.9, 0.99):
        cut = tmp_path / f"cut.{name}"
        cut.write_bytes(content[: int(share * len(content))])
        try:
            found = damage(cut)
        except MediaError:
            continue  # not a frame of it
        assert found.missing == len(content) - cut.stat().st_size
        assert f"{found.missing} bytes of the file are missing" in str(found)
        told += 1
    assert told


def test_frames_that_are_missing_in_a_file_of_full_length_are_told_of(
    movie, tmp_path: Path
) -> None:
    """As a tool leaves that copied what it could, and closed the file."""
    source, short = movie("out.mp4"), tmp_path / "short.mkv"
    with av.open(str(source)) as whole, av.open(str(short), "w") as part:
        stream = part.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.size:
                packet.stream = stream
                part.mux(packet)
    content = short.read_bytes()
    told = b"DURATION"
    at = content.index(told) + len(told)
    minute = content.index(b"00:00:0", at) + len("00:0")
    short.write_bytes(content[:minute] + b"1" + content[minute + 1 :])
    found = damage(short)
    assert found.missing == 0
    assert 59 < found.short < 61


def test_what_an_edit_list_leaves_out_is_not_missing(movie, tmp_path: Path) -> None:
    source, trimmed = movie("out.mp4"), tmp_path / "trimmed.mp4"
    with av.open(str(source)) as whole, av.open(str(trimmed), "w") as part:
        stream = part.add_stream_from_template(whole.streams.video[0])
        for packet in whole.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None:
                packet.pts, packet.dts = packet.pts - 5_000, packet.dts - 5_000
                packet.stream = stream
                part.mux(packet)
    assert len(list(open_clip(str(trimmed)).frames())) < 40
    assert not damage(trimmed)


@pytest.mark.parametrize("name", REAL)
def test_healthy_footage_is_whole(real, name: str) -> None:
    path = Path(real(f"video/{name}"))
    assert missing_bytes(path) == 0
    assert not damage(path)


def test_what_is_no_movie_promises_nothing(tmp_path: Path) -> None:
    for content in (b"", b"RIFF", b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftyp", b"\x47" * 400):
        path = tmp_path / "strange"
        path.write_bytes(content)
        assert missing_bytes(path) in (0, 16)  # a box that is announced, and not there
