"""Transparency goes from the source into every codec that can hold it."""

import av
import numpy as np
import pytest
import torch

from vidstyle.media.frame import Frame
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer


def _ramp(info, bits: int) -> Frame:
    """A picture whose alpha rises from left to right through all its levels."""
    kind = np.uint8 if bits == 8 else np.uint16
    height, width = info.size
    alpha = np.linspace(0, 2**bits - 1, width).round().astype(kind)
    noise = np.random.default_rng(bits).integers(0, 2**bits, (height, width, 3)).astype(kind)
    return Frame(
        torch.from_numpy(noise), 0, 0, info.time_base,
        torch.from_numpy(np.repeat(alpha[None], height, axis=0)),
    )  # fmt: skip


@pytest.mark.parametrize("name", ["out.mkv", "out.mp4", "out.avi"])
@pytest.mark.parametrize("bits", [8, 16])
def test_ffv1_gives_back_every_bit(tmp_path, info, name, bits):
    movie = info(37, 101, bits=bits, alpha=True)
    target = str(tmp_path / name)
    frame = _ramp(movie, bits)
    with open_writer(target, movie, codec="ffv1") as writer:
        writer.write(frame)
    reader = open_clip(target)
    (back,) = reader.frames()
    assert reader.info.alpha
    assert torch.equal(back.alpha, frame.alpha)
    assert torch.equal(back.image, frame.image)


@pytest.mark.parametrize("bits", [8, 16])
def test_prores_4444_gives_it_back_within_a_level_of_ten_bits(tmp_path, info, bits):
    movie = info(bits=bits, alpha=True)
    target = str(tmp_path / "out.mov")
    frame = _ramp(movie, bits)
    with open_writer(target, movie, codec="prores-4444") as writer:
        writer.write(frame)
    (back,) = open_clip(target).frames()
    scale = 65535 / (2**bits - 1)
    assert (back.alpha.float() - frame.alpha.float() * scale).abs().max() <= 64


def test_opaque_frames_in_a_clip_with_alpha_are_opaque(tmp_path, info, pan):
    movie = info(alpha=True)
    target = str(tmp_path / "out.mkv")
    with open_writer(target, movie, codec="ffv1") as writer:
        writer.write(pan(movie, 1)[0])
    (back,) = open_clip(target).frames()
    assert (back.alpha == 255).all()


def test_webm_alpha_is_read_and_kept(real, tmp_path):
    reader = open_clip(real("video/transparent.webm"))
    assert reader.info.alpha
    frames = list(reader.frames(30, 33))
    assert {0, 255} <= set(frames[0].alpha.unique().tolist())
    assert frames[0].alpha[0, 0] == 0
    target = str(tmp_path / "out.mkv")
    with open_writer(target, reader.info, codec="ffv1") as writer:
        for frame in frames:
            writer.write(frame)
    for frame, back in zip(frames, open_clip(target).frames(), strict=True):
        assert torch.equal(back.alpha, frame.alpha)
        assert torch.equal(back.image, frame.image)


def test_a_codec_without_alpha_says_so(tmp_path, info, caplog):
    movie = info(alpha=True)
    with open_writer(str(tmp_path / "out.mp4"), movie) as writer:
        writer.write(_ramp(movie, 8))
    assert "h264 has no alpha" in caplog.text
    assert "prores-4444 and ffv1 keep it" in caplog.text


@pytest.mark.parametrize(("pix_fmt", "bits"), [("rgba", 8), ("argb", 8), ("rgba64be", 16)])
def test_packed_formats(tmp_path, info, pix_fmt, bits):
    """As in PNG and QuickTime Animation."""
    frame = _ramp(info(), bits)
    source = str(tmp_path / "in.mov")
    with av.open(source, "w") as container:
        stream = container.add_stream("qtrle" if pix_fmt == "argb" else "png", rate=25)
        stream.height, stream.width, stream.pix_fmt = *frame.size, pix_fmt
        pixels = torch.cat([frame.image, frame.alpha[..., None]], dim=2).numpy()
        packed = av.VideoFrame.from_ndarray(pixels, "rgba" if bits == 8 else "rgba64le")
        container.mux(stream.encode(packed.reformat(format=pix_fmt)))
        container.mux(stream.encode(None))
    (back,) = open_clip(source).frames()
    assert torch.equal(back.alpha, frame.alpha)
    assert torch.equal(back.image, frame.image)
