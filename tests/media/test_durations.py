"""How long outputs say they are, and at which rate."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer


@pytest.mark.parametrize("held", [0, 7])
@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        *((codec, suffix) for codec in ("h264", "hevc") for suffix in (".mp4", ".mkv", ".mov")),
        *((codec, suffix) for codec in ("av1", "ffv1") for suffix in (".mp4", ".mkv")),
    ],
)
def test_a_clip_is_as_long_as_its_frames(tmp_path, info, pan, codec, suffix, held, monkeypatch):
    """Also where a frame is held: encoders that reorder have several in progress then."""
    monkeypatch.setenv("SVT_LOG", "1")
    clip = info()
    target = str(tmp_path / f"out{suffix}")
    with open_writer(target, clip, codec=codec) as writer:
        for frame in pan(clip, 24 + held):
            if not 12 <= frame.index < 12 + held:
                writer.write(frame)
    expected = Fraction(24 + held, 25)
    with av.open(target) as container:
        (stream,) = container.streams.video
        assert abs(Fraction(container.duration, av.time_base) - expected) <= Fraction(1, 1000)
        if suffix != ".mkv":
            assert stream.duration * stream.time_base == expected
            assert stream.average_rate == 24 / expected


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001)])
def test_a_constant_rate_comes_back_from_milliseconds(tmp_path, info, pan, rate):
    clip = info(rate=rate, time_base=1 / rate)
    source, target = str(tmp_path / "in.mkv"), str(tmp_path / "out.mp4")
    with open_writer(source, clip, codec="ffv1") as writer:
        for frame in pan(clip, 24):
            writer.write(frame)
    reader = open_clip(source)
    with open_writer(target, reader.info, source=source) as writer:
        for frame in reader.frames(3):
            writer.write(frame)
    with av.open(target) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == stream.base_rate == rate
    assert [frame.time for frame in open_clip(target).frames()] == [n / rate for n in range(21)]


def test_uneven_times_in_milliseconds_stay_uneven(tmp_path, info, pan):
    clip = info(rate=Fraction(25), time_base=Fraction(1, 1000))
    source, target = str(tmp_path / "in.mkv"), str(tmp_path / "out.mp4")
    ticks = [0, 40, 83, 120, 160, 260, 300]
    with open_writer(source, clip, codec="ffv1") as writer:
        for frame, pts in zip(pan(clip, 7), ticks, strict=True):
            writer.write(type(frame)(frame.image, frame.index, pts, clip.time_base))
    reader = open_clip(source)
    with open_writer(target, reader.info, source=source) as writer:
        for frame in reader.frames():
            writer.write(frame)
    assert [frame.time * 1000 for frame in open_clip(target).frames()] == ticks


@pytest.mark.parametrize("start", [7, 21, 23])
@pytest.mark.parametrize("suffix", [".mov", ".mkv"])
def test_picture_and_sound_stay_together_where_the_rate_comes_back(
    tmp_path, info, pan, start, suffix
):
    """A clip in milliseconds that starts between two frames of its rate."""
    clip = info(rate=Fraction(24), time_base=Fraction(1, 1000))
    source, target = str(tmp_path / "in.mkv"), str(tmp_path / f"out{suffix}")
    with av.open(source, "w") as container:
        video = container.add_stream("mjpeg", rate=24, width=96, height=72)
        video.pix_fmt, video.codec_context.time_base = "yuvj420p", clip.time_base
        audio = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for frame in pan(clip, 24):
            picture = av.VideoFrame.from_ndarray(frame.image.numpy())
            picture.pts, picture.time_base = start + round(1000 * frame.index / 24), clip.time_base
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), "s16", "mono")
        sound.sample_rate, sound.time_base, sound.pts = 48000, Fraction(1, 48000), 0
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    reader = open_clip(source)
    with open_writer(target, reader.info, source=source) as writer:
        for frame in reader.frames():
            writer.write(frame)
    first = next(open_clip(target).frames()).time
    with av.open(target) as container:
        packet = next(container.demux(audio=0))
        sounds = packet.pts * packet.time_base
    assert abs(first - sounds - Fraction(start, 1000)) <= Fraction(1, 1000)


@pytest.mark.parametrize(("count", "expected"), [(5, Fraction(129, 25)), (4, Fraction(4, 25))])
def test_the_clips_last_frame_is_held_for_as_long(tmp_path, info, pan, count, expected):
    """And only that one, not the last of a part."""
    clip = info(duration=Fraction(129, 25), frame_count=5)
    target = str(tmp_path / "out.mp4")
    with open_writer(target, clip) as writer:
        for frame in pan(clip, count):
            writer.write(frame)
    with av.open(target) as container:
        assert Fraction(container.duration, av.time_base) == expected


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_the_last_of_uneven_frames_is_shown_for_its_time(tmp_path, info, pan, suffix):
    """Encoders that reorder them take longer for that than the frames are apart at the end."""
    clip = info(rate=Fraction(25), time_base=Fraction(1, 1000))
    target = str(tmp_path / f"out{suffix}")
    ticks = [0, 120, 160, 420, 460, 520]
    with open_writer(target, clip) as writer:
        for frame, pts in zip(pan(clip, 6), ticks, strict=True):
            writer.write(type(frame)(frame.image, frame.index, pts, clip.time_base))
    with av.open(target) as container:
        (stream,) = container.streams.video
        last = max((p for p in container.demux(stream) if p.size), key=lambda p: p.pts)
        assert last.pts * last.time_base == Fraction(520, 1000)
        assert abs(last.duration * last.time_base - Fraction(40, 1000)) <= Fraction(1, 1000)
        assert container.duration >= 559_000
