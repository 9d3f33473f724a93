"""Files with more than one video stream, or with more in it than pictures."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from vidstyle.errors import MediaError
from vidstyle.media.video.reader import open_clip

SIZE = {"large": (96, 64), "small": (64, 48)}
DEFAULT = av.stream.Disposition.default


def mux(path: str, streams: list[tuple[str, int, bool]]) -> None:
    """A file of streams: the size of each, how many pictures it has, and if it is the default."""
    with av.open(path, "w") as container:
        written = []
        for size, count, is_default in streams:
            width, height = SIZE[size]
            stream = container.add_stream("mpeg4", rate=25, width=width, height=height)
            stream.disposition = DEFAULT if is_default else av.stream.Disposition(0)
            written.append((stream, count))
        for stream, count in written:
            for number in range(count):
                picture = av.VideoFrame(stream.width, stream.height, "yuv420p")
                picture.pts = number
                container.mux(stream.encode(picture))
            container.mux(stream.encode(None))


@pytest.mark.parametrize(
    ("streams", "chosen"),
    [
        ([("small", 1, False), ("large", 6, True)], "large"),
        ([("small", 1, True), ("large", 6, True)], "large"),
        ([("small", 6, False), ("large", 6, True)], "large"),
        ([("small", 6, True), ("large", 6, False)], "small"),
        ([("small", 6, False), ("large", 6, False)], "small"),
        ([("large", 6, True), ("small", 1, False)], "large"),
        ([("small", 1, False), ("large", 1, True)], "large"),
    ],
)
def test_the_default_stream_of_moving_pictures_is_the_clip(tmp_path, streams, chosen):
    path = str(tmp_path / "in.mkv")
    mux(path, streams)
    reader = open_clip(path)
    assert (reader.info.width, reader.info.height) == SIZE[chosen]
    assert len(list(reader.frames())) == max(count for size, count, _ in streams if size == chosen)


def test_a_photograph_in_tiles_is_refused(tmp_path):
    path = tmp_path / "photo.heic"
    mux(str(tmp_path / "tiles.mp4"), [("small", 1, True), ("small", 1, True)])
    content = (tmp_path / "tiles.mp4").read_bytes()
    path.write_bytes(content.replace(b"ftypisom", b"ftypheic", 1))
    with pytest.raises(MediaError, match=r"photo\.heic: a photograph in 2 tiles .* as JPEG or PNG"):
        open_clip(str(path))


def jpeg(shade: int, turned: int) -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera", turned
    encoded = io.BytesIO()
    picture = np.full((64, 96, 3), shade, np.uint8)
    picture[:8] = 255
    Image.fromarray(picture).save(encoded, "jpeg", exif=exif, quality=95)
    return encoded.getvalue()


@pytest.mark.parametrize(("turned", "size"), [(1, (64, 96)), (6, (96, 64))])
def test_motion_jpeg_may_carry_exif(tmp_path, turned, size):
    path = str(tmp_path / "camera.avi")
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=25, width=96, height=64)
        stream.pix_fmt = "yuvj420p"
        for number in range(4):
            packet = av.Packet(jpeg(40 + 20 * number, turned))
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            container.mux(packet)
    reader = open_clip(path)
    assert reader.info.size == size
    frames = [frame.image.numpy() for frame in reader.frames()]
    assert [abs(int(frame[40, 20, 1]) - 40 - 20 * n) < 4 for n, frame in enumerate(frames)] == [
        True
    ] * 4
    white = frames[0][:, -4:] if turned == 6 else frames[0][:4]
    assert white.min() > 240


def test_reordered_frames_of_avi_are_counted(tmp_path, caplog):
    """Each frame is as bright as its number tells."""
    path = str(tmp_path / "in.avi")
    with av.open(path, "w") as container:
        options = {"bf": "3", "b_strategy": "0", "g": "8", "crf": "1"}
        stream = container.add_stream("libx264", rate=25, width=64, height=64, options=options)
        stream.pix_fmt = "yuv420p"
        for number in range(24):
            picture = av.VideoFrame.from_ndarray(
                np.full((64, 64), 40 + 8 * number, np.uint8), "gray"
            )
            picture.pts = number
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    reader = open_clip(path)
    for start in (0, 11, 16):
        frames = list(reader.frames(start))
        assert [frame.index for frame in frames] == list(range(start, 24))
        assert [frame.pts - frames[0].pts for frame in frames] == list(range(24 - start))
        shades = [frame.image.float().mean() for frame in frames]
        true = [40 + 8 * number for number in range(start, 24)]
        assert np.abs(np.array(shades) - true).max() < 4
    assert not [record for record in caplog.records if record.levelname == "WARNING"]
