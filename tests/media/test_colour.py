"""Real colours, not just tags: against the formulas of BT.601, BT.709 and BT.2020."""

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import VideoReformatter

from vidstyle.media.frame import Frame
from vidstyle.media.video.colour import BT601, BT709, ColourTags, resolve, to_frame, to_rgb
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

# Kr, Kb of each matrix (H.273, table 4).
WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
PATCHES = np.array(
    [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (188, 120, 60)], float
)
SIDE = 32


def _chart(bits: int) -> torch.Tensor:
    """Six patches of 32 × 32 pixels in a row."""
    levels = np.rint(PATCHES * ((2**bits - 1) / 255))
    row = np.repeat(levels[None], SIDE, axis=1)
    return torch.from_numpy(
        np.repeat(row, SIDE, axis=0).astype(np.uint8 if bits == 8 else np.uint16)
    )


def _centres(plane: np.ndarray) -> np.ndarray:
    step = plane.shape[1] // len(PATCHES)
    return plane[plane.shape[0] // 2, step // 2 :: step]


def _expected_yuv(matrix: int, full: bool, bits: int) -> np.ndarray:
    kr, kb = WEIGHTS[matrix]
    rgb = PATCHES / 255
    y = rgb @ [kr, 1 - kr - kb, kb]
    cb = (rgb[:, 2] - y) / (2 - 2 * kb)
    cr = (rgb[:, 0] - y) / (2 - 2 * kr)
    one, top = 1 << (bits - 8), (1 << bits) - 1
    if full:
        return np.stack([y * top, cb * top + 128 * one, cr * top + 128 * one])
    return one * np.stack([16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr])


def _coded(path: str) -> np.ndarray:
    """The YUV code values at each patch's centre, as they stand in the file."""
    with av.open(path) as container:
        frame = next(container.decode(video=0))
        deep = frame.format.components[0].bits > 8
        planes = []
        for plane in frame.planes:
            values = np.frombuffer(plane, np.uint16 if deep else np.uint8)
            planes.append(_centres(values.reshape(plane.height, -1)[:, : plane.width]))
        return np.stack(planes).astype(float)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("out.mp4", "h264", "yuv420p"),
        ("out.mkv", "h264", "yuv444p"),
        ("out.mov", "hevc", "yuv420p10le"),
        ("out.mov", "prores", "yuv422p10le"),
    ],
)
@pytest.mark.parametrize(("matrix", "range_"), [(1, 1), (5, 1), (6, 1), (9, 1), (1, 2), (6, 2)])
def test_colours_are_converted_by_the_tags(tmp_path, info, name, codec, pix_fmt, matrix, range_):
    if codec == "prores" and range_ == 2:
        pytest.skip("ProRes has no full range")
    bits = av.VideoFormat(pix_fmt).components[0].bits
    tags = ColourTags(matrix, range_, primaries=matrix, transfer=1 if matrix == 1 else 6)
    movie = info(SIDE, SIDE * 6, pix_fmt=pix_fmt, bits=bits, colour=tags)
    target = str(tmp_path / name)
    chart = _chart(8 if bits == 8 else 16)
    with open_writer(target, movie, codec=codec) as writer:
        writer.write(Frame(chart, 0, 0, movie.time_base))
    expected = _expected_yuv(matrix, range_ == 2, bits)
    assert np.abs(_coded(target) - expected).max() <= 2 * (1 << (bits - 8))
    reader = open_clip(target)
    assert reader.info.colour == tags
    (frame,) = reader.frames()
    scale = 255 / torch.iinfo(frame.image.dtype).max
    assert np.abs(_centres(frame.image.numpy()) * scale - PATCHES).max() <= 3


def test_sixteen_bits_reach_full_scale(tmp_path, info):
    for range_ in (1, 2):
        for level in (0, 21845, 65535):
            target = str(tmp_path / "out.mkv")
            tags = ColourTags(1, range_, 1, 1)
            image = torch.full((64, 64, 3), level, dtype=torch.uint16)
            movie = info(64, 64, pix_fmt="yuv444p10le", bits=10, colour=tags)
            with open_writer(target, movie) as writer:
                writer.write(Frame(image, 0, 0, movie.time_base))
            (frame,) = open_clip(target).frames()
            # Two 10-bit levels of chroma; taking 65280 for white would be 255 off.
            assert np.abs(frame.image.numpy().astype(int) - level).max() <= 160


def test_lossless_rgb_keeps_primaries_and_transfer(tmp_path, info, pan):
    movie = info(colour=ColourTags(9, 1, 9, 16), bits=16)
    target = str(tmp_path / "out.mkv")
    with open_writer(target, movie, codec="ffv1") as writer:
        writer.write(pan(movie, 1)[0])
    assert open_clip(target).info.colour == ColourTags(matrix=0, range=2, primaries=9, transfer=16)


def test_untagged_clips_follow_their_size(caplog):
    untagged = ColourTags()
    assert resolve(untagged, (1080, 1920)) == ColourTags(BT709, 1, 2, 2)
    assert resolve(untagged, (720, 960)).matrix == BT709
    assert resolve(untagged, (576, 720)).matrix == BT601
    assert resolve(ColourTags(matrix=9, range=2), (480, 640)) == ColourTags(9, 2)
    assert resolve(ColourTags(matrix=14), (2160, 3840)).matrix == BT709
    assert "colour matrix 14" in caplog.text


def test_real_tags_are_carried(real, tmp_path):
    for name in ("bt709_full_range.mp4", "transparent.webm", "video_90.mov"):
        reader = open_clip(real(f"video/{name}"))
        target = str(tmp_path / "out.mp4")
        with open_writer(target, reader.info) as writer:
            for frame in reader.frames(0, 2):
                writer.write(frame)
        assert open_clip(target).info.colour == reader.info.colour


def test_a_plate_survives_a_generation(real, tmp_path):
    for name in ("05_default_juggle.mp4", "bt709_full_range.mp4", "cockatoo.mp4"):
        reader = open_clip(real(f"video/{name}"))
        target = str(tmp_path / "out.mp4")
        frames = list(reader.frames(0, 2))
        with open_writer(target, reader.info) as writer:
            for frame in frames:
                writer.write(frame)
        again = next(open_clip(target).frames())
        shift = again.image.float().mean((0, 1)) - frames[0].image.float().mean((0, 1))
        assert shift.abs().max() < 0.5


def _planes(frame: av.VideoFrame) -> list[np.ndarray]:
    dtype = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    return [
        np.frombuffer(plane, dtype).reshape(plane.height, -1)[:, : plane.width].astype(int)
        for plane in frame.planes
    ]


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    "pix_fmt",
    [
        *("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le"),
        *("yuv420p12le", "yuv444p12le"),
    ],
)
def test_bars_and_ramps_come_back_within_a_code(pix_fmt, full, matrix):
    """The way of a frame without its codec: YUV to RGB and back to YUV."""
    tags = ColourTags(matrix, 2 if full else 1, 1, 1)
    ramp = np.linspace(0, 65535, 256 * 32).round().astype(np.uint16).reshape(32, 256, 1)
    bars = np.repeat(PATCHES.round().astype(np.uint16) * 257, 32, axis=0)[None]
    chart = np.zeros((64, 256, 3), np.uint16)
    chart[:32] = ramp
    chart[32:, :192] = bars
    source = to_frame(torch.from_numpy(chart), pix_fmt, tags)
    rgb = to_rgb(source, tags, VideoReformatter())
    back = to_frame(torch.from_numpy(rgb), pix_fmt, tags)
    # Where chroma is halved, RGB beside a bar's edge may lie outside its range: edges are left out.
    columns, rows = np.arange(256) % 32, np.arange(64) % 32
    across, down = (columns > 7) & (columns < 24), (rows > 7) & (rows < 24)
    for one, two in zip(_planes(source), _planes(back), strict=True):
        inner = np.ix_(down[:: 64 // one.shape[0]], across[:: 256 // one.shape[1]])
        assert np.abs(one - two)[inner].max() <= 1
