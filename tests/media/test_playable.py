"""What is written where no codec is asked for: what phones, browsers and QuickTime play."""

import av
import numpy as np
import pytest

from vidstyle.media.video.codecs import codec_for
from vidstyle.media.video.encoder import check_encoder
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer


def write(path: str, movie, pan, codec: str | None = None) -> list[np.ndarray]:
    frames = pan(movie, 3)
    with open_writer(path, movie, codec=codec) as writer:
        for frame in frames:
            writer.write(frame)
    return [frame.image.numpy() for frame in frames]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    ("pix_fmt", "bits", "expected"),
    [
        ("yuv420p", 8, ("High", "yuv420p", "avc1")),
        ("yuv422p", 8, ("High", "yuv420p", "avc1")),
        ("yuv444p", 8, ("High", "yuv420p", "avc1")),
        ("bgra", 8, ("High", "yuv420p", "avc1")),
        ("yuv420p10le", 10, ("Main 10", "yuv420p10le", "hvc1")),
        ("yuv444p12le", 12, ("Main 10", "yuv420p10le", "hvc1")),
        ("rgb48le", 16, ("Main 10", "yuv420p10le", "hvc1")),
    ],
)
def test_the_default_plays(tmp_path, info, pan, caplog, suffix, pix_fmt, bits, expected):
    caplog.set_level("INFO")
    target = str(tmp_path / f"out{suffix}")
    write(target, info(pix_fmt=pix_fmt, bits=bits), pan)
    with av.open(target) as container:
        context = container.streams.video[0].codec_context
        assert (context.profile, context.pix_fmt) == expected[:2]
        if suffix != ".mkv":
            assert context.codec_tag == expected[2]
    assert ("4:2:0" in caplog.text) == (pix_fmt not in ("yuv420p", "yuv420p10le"))
    assert ("12 bits a component become 10" in caplog.text) == (bits == 12)


@pytest.mark.parametrize("size", [(71, 96), (72, 95), (71, 95)])
@pytest.mark.parametrize("bits", [8, 10])
def test_odd_sizes_are_padded_with_a_word(tmp_path, info, pan, caplog, size, bits):
    movie = info(*size, pix_fmt="yuv420p" if bits == 8 else "yuv420p10le", bits=bits)
    target = str(tmp_path / "out.mp4")
    frames = write(target, movie, pan)
    reader = open_clip(target)
    assert reader.info.size == (72, 96)
    assert f"{size[1]}x{size[0]} is written as 96x72" in caplog.text
    written = next(reader.frames()).image.numpy().astype(float)
    whole = 255 if bits == 8 else 65535
    assert np.abs(written[: size[0], : size[1]] - frames[0]).mean() < 0.02 * whole
    if size[1] % 2:
        assert np.abs(written[:, -1] - written[:, -2]).mean() < 0.02 * whole


def test_a_codec_by_name_keeps_size_and_chroma(tmp_path, info, pan):
    target = str(tmp_path / "out.mp4")
    write(target, info(71, 95, pix_fmt="yuv444p"), pan, "h264")
    reader = open_clip(target)
    assert (reader.info.size, reader.info.pix_fmt) == ((71, 95), "yuv444p")


def test_what_hevc_has_no_size_for_is_written_in_h264(info):
    movie = info(33, 41, pix_fmt="yuv420p10le", bits=10)
    codec = codec_for(None, "out.mp4", movie)
    assert codec.name == "h264"
    check_encoder(codec, movie)
