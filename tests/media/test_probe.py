"""What a clip says of itself, and why one is refused."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vidstyle.errors import MediaError
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.probe import probe
from vidstyle.media.video.writer import open_writer


def test_a_clip_describes_itself(real):
    info = probe(real("video/01_dog.mp4"))
    assert info.size == (720, 1280)
    assert info.rate == Fraction(30000, 1001)
    assert info.time_base == Fraction(1, 30000)
    assert info.frame_count == 289
    assert info.duration == Fraction(289 * 1001, 30000)
    assert (info.codec, info.pix_fmt, info.bits) == ("h264", "yuv420p", 8)
    assert info.colour == ColourTags(1, 1, 1, 1)
    assert info.audio_streams == 1
    assert info.timecode == "00:00:00:00"
    assert not info.is_sequence


def test_a_container_that_does_not_tell_leaves_gaps(real):
    info = probe(real("video/no_duration.webm"))
    assert info.frame_count is None
    assert info.duration is None


def test_a_turned_clip_is_described_upright(real):
    assert probe(real("video/video_90.mov")).size == (568, 320)
    assert probe(real("video/fire2.mp4")).size == (720, 1280)


def _audio_only(path):
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _without_index(path, info, pan):
    movie = info()
    whole = path.with_name("whole.mov")
    with open_writer(str(whole), movie) as writer:
        for frame in pan(movie, 6):
            writer.write(frame)
    # An index at the end, as cameras write it, goes first when a copy breaks off.
    data = whole.read_bytes()
    start = data.index(b"moov") - 4
    length = int.from_bytes(data[start : start + 4], "big")
    path.write_bytes(data[:start] + data[start + length :])


def test_what_cannot_be_read_is_refused_in_one_clear_line(tmp_path, info, pan):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "notes.mp4").write_text("Scene 12, take 3: the good one.\n" * 50)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    (tmp_path / "bare").mkdir()
    (tmp_path / "bad.png").write_text("no picture")
    _audio_only(str(tmp_path / "song.mp4"))
    _without_index(tmp_path / "broken.mp4", info, pan)
    for name, why in {
        "missing.mp4": "no such file",
        "missing.png": "no such file",
        "shot.%04d.png": "matches no file",
        "shot.####.exr": "matches no file",
        "empty.mp4": "empty",
        "notes.mp4": "text, not a video",
        "noise.mp4": "not a video",
        "bare": "no pictures",
        "bad.png": "not a picture",
        "song.mp4": "no video in it, only audio",
        "broken.mp4": "cut short or damaged",
    }.items():
        with pytest.raises(MediaError) as caught:
            probe(str(tmp_path / name))
        message = str(caught.value)
        assert why in message
        assert message.startswith(str(tmp_path / name))
        assert "\n" not in message
        assert caught.value.exit_code == 3


def test_a_clip_without_one_good_frame_is_refused(tmp_path, info, pan):
    movie = info()
    target = tmp_path / "mud.mp4"
    with open_writer(str(target), movie) as writer:
        for frame in pan(movie, 3):
            writer.write(frame)
    data = bytearray(target.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    target.write_bytes(data)
    with pytest.raises(MediaError, match=r"mud\.mp4: not one frame"):
        probe(str(target))


@pytest.mark.parametrize(
    ("name", "encoder", "options"),
    [
        ("in.mov", "prores_ks", {"flags": "+ildct"}),
        ("in.mp4", "libx264", {"x264-params": "tff=1"}),
        ("in.mpg", "mpeg2video", {"flags": "+ildct+ilme"}),
    ],
)
def test_interlaced_clips_are_refused_with_advice(tmp_path, info, pan, name, encoder, options):
    path = str(tmp_path / name)
    with av.open(path, "w") as container:
        stream = container.add_stream(encoder, rate=25, width=96, height=72, options=options)
        stream.pix_fmt = "yuv422p10le" if encoder == "prores_ks" else "yuv420p"
        for frame in pan(info(), 4):
            picture = av.VideoFrame.from_ndarray(frame.image.numpy())
            container.mux(stream.encode(picture.reformat(format=stream.pix_fmt)))
        container.mux(stream.encode(None))
    with pytest.raises(MediaError, match=r"interlaced; deinterlace it first \(ffmpeg.* bwdif"):
        probe(path)
