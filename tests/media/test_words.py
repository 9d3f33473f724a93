"""What is said of files that hold no footage, and of what an output leaves behind."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import MediaError
from vidstyle.media.video.muxer import belongings_of
from vidstyle.media.video.probe import probe

COVER = av.stream.Disposition.attached_pic


def write(path: str, *, pictures: int = 0, cover: bool = False, chapters: bool = False) -> None:
    """A file with sound, and what else is asked for."""
    with av.open(path, "w") as container:
        video = container.add_stream("mpeg4", rate=25, width=64, height=48) if pictures else None
        sound = container.add_stream("aac", rate=48000, layout="mono")
        attached = container.add_stream("mjpeg", rate=25, width=64, height=48) if cover else None
        if attached:
            attached.pix_fmt, attached.disposition = "yuvj420p", COVER
        if chapters:
            one = {"id": 1, "start": 0, "end": 200, "time_base": Fraction(1, 1000)}
            container.set_chapters([{**one, "metadata": {"title": "One"}}])
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 9600), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux([*sound.encode(frame), *sound.encode(None)])
        for number in range(pictures):
            picture = av.VideoFrame(64, 48, "yuv420p")
            picture.pts = number
            container.mux(video.encode(picture))
        if video:
            container.mux(video.encode(None))
        if attached:
            encoded = io.BytesIO()
            Image.new("RGB", (64, 48)).save(encoded, "jpeg")
            packet = av.Packet(encoded.getvalue())
            packet.stream, packet.time_base, packet.pts = attached, Fraction(1, 25), 0
            container.mux(packet)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.svg", "a drawing without pixels; export it as PNG"),
        ("a.PSD", "a layered picture; save it flat"),
        ("a.nef", "a camera's raw picture; develop it"),
    ],
)
def test_pictures_that_are_not_read_are_called_what_they_are(tmp_path, name, says):
    (tmp_path / name).write_bytes(b"8BPS\0\0")
    with pytest.raises(MediaError, match=says):
        probe(str(tmp_path / name))


def test_a_song_with_a_cover_is_no_video(tmp_path):
    path = str(tmp_path / "song.mp4")
    write(path, cover=True)
    with pytest.raises(MediaError, match="no video in it, only audio and cover art"):
        probe(path)


def test_only_what_is_lost_is_told(tmp_path):
    path = str(tmp_path / "film.mov")
    write(path, pictures=5, chapters=True)
    assert belongings_of(path).left_behind == ()
    assert [chapter["metadata"]["title"] for chapter in belongings_of(path).chapters] == ["One"]
    covered = str(tmp_path / "film.mp4")
    write(covered, pictures=5, cover=True)
    assert belongings_of(covered).left_behind == ("cover art",)
