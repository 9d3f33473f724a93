"""What every reader promises, and what real files put in its way."""

import io
import itertools
import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import av
import pytest
import torch

from vidstyle.errors import MediaError
from vidstyle.media.video.clip import ClipReader
from vidstyle.media.video.kept import KeptClip
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

KINDS = ["h264.mp4", "hevc.mov", "ffv1.mkv", "prores.mov", "shot.%04d.png", "shot.####.jpg"]
COUNT = 14


@pytest.fixture(scope="module", params=KINDS)
def clip(request, tmp_path_factory, info, pan) -> str:
    """A generated clip of each kind, 14 frames."""
    folder = tmp_path_factory.mktemp("clip")
    target = str(folder / request.param)
    movie = info()
    codec = None if request.param.startswith("shot") else request.param.split(".")[0]
    with open_writer(target, movie, codec=codec) as writer:
        for frame in pan(movie, COUNT):
            writer.write(frame)
    return target


@pytest.fixture(params=["decoded", "kept", "kept in part"])
def reader(request, clip, tmp_path) -> Iterator[ClipReader]:
    """Of each clip, by all that reads one."""
    if request.param == "decoded":
        yield open_clip(clip)
        return
    source = open_clip(clip)
    room = 5 * source.info.frame_bytes if request.param == "kept in part" else None
    with closing(KeptClip(source, tmp_path, room)) as kept:
        yield kept
    assert [*tmp_path.iterdir()] == []


def test_frames_come_in_order_with_exact_numbers_and_the_clips_size(reader):
    frames = list(reader.frames())
    assert [frame.index for frame in frames] == list(range(COUNT))
    assert all(a.pts < b.pts for a, b in itertools.pairwise(frames))
    assert frames[0].pts == reader.info.start_pts
    assert {frame.size for frame in frames} == {(72, 96)} == {reader.info.size}
    deep = reader.info.bits > 8
    assert {frame.image.dtype for frame in frames} == {torch.uint16 if deep else torch.uint8}


def test_a_clip_can_be_read_again_and_from_any_frame(reader):
    whole = list(reader.frames())
    for start in range(COUNT):
        part = list(reader.frames(start, start + 2))
        expected = whole[start : start + 2]
        assert [(f.index, f.pts) for f in part] == [(f.index, f.pts) for f in expected]
        assert all(torch.equal(a.image, b.image) for a, b in zip(part, expected, strict=True))


def test_reading_past_the_end_and_closing_early_are_quiet(reader):
    assert list(reader.frames(COUNT)) == []
    assert list(reader.frames(5, 5)) == []
    assert len(list(reader.frames(COUNT - 2, COUNT + 9))) == 2
    frames = reader.frames()
    next(frames)
    frames.close()


@pytest.mark.parametrize(
    ("name", "count", "starts"),
    [
        ("nasa_13013.mp4", 325, (1, 100, 201, 202, 203, 324)),  # B-frames, two keyframes
        ("no_duration.webm", 74, (1, 40, 73)),  # VFR
        ("transparent.webm", 150, (127, 128, 129)),  # VP9, milliseconds
        ("unordered.mov", 4, (1, 2, 3)),
        ("h265_10bits.mp4", 30, (7, 29)),
        ("video_90.mov", 3, (2,)),
        ("cockatoo.mp4", 280, (80, 146, 252, 279)),  # keyframes that refer to frames before
    ],
)
def test_real_clips_start_exactly_anywhere(real, name, count, starts):
    reader = open_clip(real(f"video/{name}"))
    wanted = dict.fromkeys(starts)
    seen = 0
    for frame in reader.frames():
        assert frame.index == seen
        seen += 1
        if frame.index in wanted:
            wanted[frame.index] = frame
    assert seen == count
    for start, expected in wanted.items():
        found = next(reader.frames(start))
        assert (found.index, found.pts) == (start, expected.pts)
        assert torch.equal(found.image, expected.image)


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("open_gop.mp4", "libx264", {"x264-params": "open-gop=1:keyint=10:bframes=3"}),
        ("open_gop.mkv", "libx265", {"x265-params": "open-gop=1:keyint=10:log-level=error"}),
        # No true keyframe after the first.
        ("intra_refresh.mp4", "libx264", {"x264-params": "intra-refresh=1:keyint=10"}),
        # Packets that show nothing.
        ("hidden.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "g": "10"}),
        ("packed.avi", "mpeg4", {"bf": "2", "g": "10"}),
        # Times that start late, and none at all.
        ("late.ts", "libx264", {"g": "10"}),
        ("timeless.h264", "libx264", {"g": "10"}),
    ],
)
def test_awkward_streams_start_exactly_anywhere(tmp_path, info, pan, name, encoder, options):
    path = str(tmp_path / name)
    with av.open(path, "w") as container:
        stream = container.add_stream(encoder, rate=25, width=96, height=72, options=options)
        for frame in pan(info(), 36):
            picture = av.VideoFrame.from_ndarray(frame.image.numpy())
            picture.pts = frame.index
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    reader = open_clip(path)
    whole = list(reader.frames())
    assert [frame.index for frame in whole] == list(range(36))
    assert len({b.pts - a.pts for a, b in itertools.pairwise(whole)}) == 1
    for start in (1, 9, 10, 11, 19, 20, 35):
        found = next(reader.frames(start))
        assert (found.index, found.pts) == (start, whole[start].pts)
        assert torch.equal(found.image, whole[start].image)


@pytest.mark.parametrize("order", [(30, 20), (20, 30)])
def test_recordings_joined_byte_by_byte_are_read_exactly_from_anywhere(tmp_path, info, pan, order):
    """Their timestamps start again in mid-clip."""
    part, path = str(tmp_path / "part.ts"), tmp_path / "joined.ts"
    joined = b""
    for count in order:
        with av.open(part, "w") as container:
            stream = container.add_stream("libx264", 25, width=96, height=72, options={"g": "10"})
            for frame in pan(info(), count, step=count // 10):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image.numpy())))
            container.mux(stream.encode(None))
        joined += Path(part).read_bytes()
    path.write_bytes(joined)
    reader = open_clip(str(path))
    whole = list(reader.frames())
    assert [frame.index for frame in whole] == list(range(50))
    assert not reader.damage
    for start in (15, 35, 45):
        found = next(reader.frames(start))
        assert (found.index, found.pts) == (start, whole[start].pts)
        assert torch.equal(found.image, whole[start].image)


def test_starting_late_decodes_from_the_keyframe_before(real, monkeypatch):
    import vidstyle.media.video.reader as module

    decoded = []
    to_decode = module.decode

    def counting(*arguments):
        for picture in to_decode(*arguments):
            decoded.append(picture.index)
            yield picture

    monkeypatch.setattr(module, "decode", counting)
    next(open_clip(real("video/nasa_13013.mp4")).frames(210))
    assert decoded == list(range(202, 211))


def test_damaged_packets_cost_their_frames_and_no_others(real, caplog):
    reader = open_clip(real("video/corrupted.mp4"))
    frames = list(reader.frames(25))
    assert [frame.index for frame in frames] == [*range(25, 30), *range(31, 50)]
    assert all(frame.pts == frame.index * 1024 for frame in frames)
    assert "damaged beyond decoding and left out: 1" in caplog.text


def test_a_depth_that_changes_in_mid_clip_is_told_of(tmp_path, info, pan):
    path = tmp_path / "in.h264"
    with path.open("wb") as joined:
        for pix_fmt in ("yuv420p", "yuv420p10le"):
            part = io.BytesIO()
            with av.open(part, "w", "h264") as container:
                stream = container.add_stream("libx264", 25, width=96, height=72, pix_fmt=pix_fmt)
                for frame in pan(info(), 6):
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image.numpy())))
                container.mux(stream.encode(None))
            joined.write(part.getvalue())
    frames = open_clip(str(path)).frames()
    assert len(list(itertools.islice(frames, 6))) == 6
    with pytest.raises(MediaError, match=r"frame 6 has 10 bits, the first had 8; split the clip"):
        next(frames)


def test_a_clip_cut_short_keeps_the_frames_before_the_break(tmp_path, info, pan, caplog):
    movie = info()
    whole = tmp_path / "whole.mp4"
    with open_writer(str(whole), movie) as writer:
        for frame in pan(movie, 40):
            writer.write(frame)
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    frames = list(open_clip(str(cut)).frames())
    assert 5 < len(frames) < 40
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert any(record.levelno == logging.WARNING for record in caplog.records)


def test_rotation_is_applied(real):
    reader = open_clip(real("video/video_90.mov"))
    assert reader.info.size == (568, 320)
    assert reader.info.rotation == -90
    image = next(reader.frames()).image
    assert image.shape == (568, 320, 3)
    assert image.is_contiguous()


def test_deep_clips_come_as_16_bits_of_full_scale(real):
    for name in ("h264_10bits.mp4", "h265_10bits.mp4"):
        image = next(open_clip(real(f"video/{name}")).frames()).image
        assert image.dtype == torch.uint16
        assert image.numpy().max() > 60000


def test_a_clip_that_has_gone_says_so(tmp_path, info, pan):
    movie = info()
    target = tmp_path / "gone.mp4"
    with open_writer(str(target), movie) as writer:
        for frame in pan(movie, 2):
            writer.write(frame)
    reader = open_clip(str(target))
    Path(target).unlink()
    with pytest.raises(MediaError, match=r"gone\.mp4: no such file"):
        list(reader.frames())
