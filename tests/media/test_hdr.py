"""Static HDR metadata goes into every bitstream that can carry it."""

from dataclasses import replace

import pytest

from vidstyle.media.video.hdr import HdrMetadata
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

# A P3 display of 0.005 to 1000 cd/m2, in the units of the SEI message.
P3 = HdrMetadata(
    primaries=(34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450),
    luminance=(50, 10_000_000),
    content_light=(1000, 400),
)


def _written(tmp_path, movie, pan, name, codec):
    target = str(tmp_path / name)
    with open_writer(target, movie, codec=codec) as writer:
        for frame in pan(movie, 3):
            writer.write(frame)
    return open_clip(target).info.hdr


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "hevc"), ("a.mkv", "hevc-10bit"), ("a.mov", "h264"), ("a.mp4", "av1")],
)
@pytest.mark.parametrize(
    "hdr", [P3, replace(P3, content_light=None), HdrMetadata(None, None, (1000, 400))]
)
def test_it_comes_back(tmp_path, info, pan, monkeypatch, name, codec, hdr):
    monkeypatch.setenv("SVT_LOG", "1")
    assert _written(tmp_path, info(hdr=hdr), pan, name, codec) == hdr


@pytest.mark.parametrize(("name", "codec"), [("a.mov", "prores"), ("a.mkv", "ffv1")])
def test_a_codec_that_cannot_carry_it_says_so(tmp_path, info, pan, caplog, name, codec):
    assert _written(tmp_path, info(hdr=P3), pan, name, codec) is None
    assert f"{codec} cannot carry the HDR metadata" in caplog.text


def test_clips_without_it_get_none(tmp_path, info, pan):
    assert _written(tmp_path, info(), pan, "a.mp4", "hevc") is None
