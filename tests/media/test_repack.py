"""EXR, DPX and TIFF, in and out: what is not painted stays as it was in the file."""

import sys
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
import torch

from vidstyle.errors import MediaError, UsageError
from vidstyle.media.picture import has_straight_alpha, read_channel, read_picture
from vidstyle.media.video.convert import Conversion, ConvertingWriter
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

oiio = pytest.importorskip("OpenImageIO")

HEIGHT, WIDTH = 12, 20


def store(path, values, names, types, **attributes) -> None:
    """A picture of (h, w, channels) whose types are told channel by channel."""
    spec = oiio.ImageSpec(values.shape[1], values.shape[0], values.shape[2], types[0])
    spec.channelnames, spec.channelformats = tuple(names), tuple(types)
    window = attributes.pop("window", None)
    if window is not None:
        spec.x, spec.y = window
        spec.full_x, spec.full_y, spec.full_width, spec.full_height = 0, 0, WIDTH, HEIGHT
    for name, value in attributes.items():
        spec[name] = value
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(values), out.geterror()
    assert out.close()


def whole(path):
    """All channels by name, as (h, w) of the data window, and the description."""
    source = oiio.ImageInput.open(str(path))
    spec = source.spec()
    values = source.read_image(0, 0, 0, spec.nchannels, "double")
    source.close()
    return dict(zip(spec.channelnames, np.moveaxis(values, 2, 0), strict=True)), spec


def metadata(spec):
    return {each.name: str(each.value) for each in spec.extra_attribs}


def copied(source, target, change=lambda image: image, **options):
    """Read a clip and write it, frame by frame, with its pictures changed."""
    reader = open_clip(str(source))
    with open_writer(str(target), reader.info, **options) as writer:
        for frame in reader.frames():
            writer.write(replace(frame, image=change(frame.image.clone())))
    return reader.info


@pytest.fixture
def render_passes(tmp_path):
    """comp.0101.exr: overscan, six channels of three types, values from -50 to 100."""
    rng = np.random.default_rng(0)
    values = rng.uniform(-50, 100, (HEIGHT + 4, WIDTH + 6, 6))
    values[..., 5] = rng.integers(0, 2**32, values.shape[:2]) / (2**32 - 1)
    path = tmp_path / "comp.0101.exr"
    half, single, whole_number = oiio.HALF, oiio.FLOAT, oiio.UINT32
    types = (half, half, half, half, single, whole_number)
    names = ("R", "G", "B", "A", "depth.Z", "id")
    extra = {"compression": "piz", "framesPerSecond": 25.0, "shot/slate": "12A", "window": (-3, -2)}
    store(path, values, names, types, **extra)
    return path


def test_only_the_picture_of_a_multichannel_exr_changes(render_passes, tmp_path):
    def brighter(image):
        image[2:5, 3:7] += 1
        return image

    info = copied(tmp_path / "comp.####.exr", tmp_path / "new.####.exr", brighter)
    assert (info.size, info.bits, info.is_float, info.alpha) == ((HEIGHT, WIDTH), 16, True, True)
    assert info.rate == 25
    before, old = whole(render_passes)
    after, new = whole(tmp_path / "new.0101.exr")
    assert list(after) == list(before)
    assert [str(kind) for kind in new.channelformats] == [str(kind) for kind in old.channelformats]
    assert metadata(new) == metadata(old)
    assert (new.x, new.y, new.width, new.full_width) == (-3, -2, WIDTH + 6, WIDTH)
    changed = np.zeros(before["R"].shape, bool)
    changed[2 + 2 : 5 + 2, 3 + 3 : 7 + 3] = True
    for name, plane in before.items():
        same = after[name] == plane
        assert same[~changed].all()
        assert same.all() == (name not in "RGB")


def test_every_part_of_a_multipart_exr_is_kept(tmp_path):
    path = tmp_path / "parts.exr"
    specs = []
    for name, channels in (("matte", ("mask",)), ("rgb", ("R", "G", "B"))):
        spec = oiio.ImageSpec(WIDTH, HEIGHT, len(channels), oiio.HALF)
        spec.channelnames, spec["name"] = channels, name
        specs.append(spec)
    planes = [np.full((HEIGHT, WIDTH, n), n / 4, np.float32) for n in (1, 3)]
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), tuple(specs))
    out.write_image(planes[0])
    assert out.open(str(path), specs[1], "AppendSubimage")
    out.write_image(planes[1])
    out.close()
    copied(path, tmp_path / "copy.exr", lambda image: image * 2)
    assert read_channel(tmp_path / "copy.exr", "mask").max() == 0.25
    assert (read_picture(tmp_path / "copy.exr").pixels == 1.5).all()


def test_black_stands_outside_the_data_window_and_is_not_written(tmp_path):
    values = np.ones((4, 5, 3), np.float32)
    store(tmp_path / "a.exr", values, "RGB", [oiio.HALF] * 3, window=(8, 6))
    picture = read_picture(tmp_path / "a.exr")
    assert picture.pixels.shape == (HEIGHT, WIDTH, 3)
    assert (picture.pixels[6:10, 8:13] == 1).all()
    assert picture.pixels.sum() == values.sum()
    copied(tmp_path / "a.exr", tmp_path / "b.exr", lambda image: image + 1)
    after, spec = whole(tmp_path / "b.exr")
    assert (spec.x, spec.y, spec.width, spec.height) == (8, 6, 5, 4)
    assert (after["G"] == 2).all()


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_every_level_of_a_dpx_comes_back(tmp_path, bits):
    levels = np.arange(1 << min(bits, 12)) * (16 if bits == 16 else 1)
    full = 255 if bits == 8 else 65535
    codes = np.rint(levels * full / ((1 << bits) - 1))
    values = np.tile(codes[None, :, None], (3, 1, 3)).astype(np.uint8 if bits == 8 else np.uint16)
    extra = {"oiio:BitsPerSample": bits, "oiio:Endian": "big", "Copyright": "us"}
    kind = oiio.UINT8 if bits == 8 else oiio.UINT16
    store(tmp_path / "a.1001.dpx", values, "RGB", [kind] * 3, **extra)
    info = copied(tmp_path / "a.####.dpx", tmp_path / "b.####.dpx")
    assert info.bits == bits
    old, new = (read_picture(tmp_path / f"{name}.1001.dpx") for name in "ab")
    assert (old.pixels == new.pixels).all()
    assert new.bits == bits
    assert metadata(whole(tmp_path / "b.1001.dpx")[1])["Copyright"] == "us"


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float"])
def test_tiff_keeps_depth_alpha_and_words(tmp_path, kind):
    rng = np.random.default_rng(1)
    values = rng.uniform(-1, 5, (HEIGHT, WIDTH, 4)).astype(np.float32)
    if kind != "float":
        values = rng.integers(0, np.iinfo(kind).max, values.shape).astype(kind)
    extra = {"oiio:UnassociatedAlpha": 1, "ImageDescription": "take 4"}
    store(tmp_path / "a.tif", values, "RGBA", [oiio.TypeDesc(kind)] * 4, **extra)
    info = copied(tmp_path / "a.tif", tmp_path / "b.tiff")
    assert info.is_float == (kind == "float")
    picture = read_picture(tmp_path / "b.tiff")
    assert np.array_equal(np.dstack([picture.pixels, picture.alpha]), values)
    assert metadata(whole(tmp_path / "b.tiff")[1])["ImageDescription"] == "take 4"


def test_straight_alpha_is_multiplied_for_exr_and_stated_in_tiff(tmp_path):
    codes = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
    codes[:] = 50, 100, 200, 255
    codes[:, 5:, 3] = 3
    cv2.imwrite(str(tmp_path / "a.png"), codes)
    cv2.imwrite(str(tmp_path / "deep.png"), codes.astype(np.uint16) * 257)
    rgba = codes[..., [2, 1, 0, 3]] / np.float32(255)
    for name in ("a", "deep"):
        for suffix in ("exr", "tif"):
            copied(tmp_path / f"{name}.png", tmp_path / f"{name}.{suffix}")
        copied(tmp_path / f"{name}.tif", tmp_path / f"{name}-tiff.exr")
        for exr in (f"{name}.exr", f"{name}-tiff.exr"):
            picture = read_picture(tmp_path / exr)
            assert np.allclose(picture.alpha, rgba[..., 3], rtol=1e-3)
            assert np.allclose(picture.pixels, rgba[..., :3] * rgba[..., 3:], rtol=2e-3)
        tiff = read_picture(tmp_path / f"{name}.tif")
        white = np.iinfo(tiff.pixels.dtype).max
        assert np.array_equal(np.dstack([tiff.pixels, tiff.alpha]), np.rint(rgba * white))
        assert has_straight_alpha(tmp_path / f"{name}.tif")


def test_premultiplied_colours_are_divided_for_png(tmp_path):
    """Before they are converted; light without cover stays."""
    values = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    values[:, :10] = 0.125, 0.5, 0, 0.5
    values[:, 10:] = 0.25, 1, 0, 0
    store(tmp_path / "a.exr", values, "RGBA", [oiio.HALF] * 4)
    reader = open_clip(str(tmp_path / "a.exr"))
    conversion = Conversion(np.sqrt, torch.uint16, "root", None)
    target = open_writer(str(tmp_path / "a.png"), conversion.described(reader.info))
    with ConvertingWriter(target, conversion) as writer:
        for frame in reader.frames():
            writer.write(frame)
    picture = read_picture(tmp_path / "a.png")
    assert np.allclose(picture.pixels / 65535, (0.5, 1, 0), atol=1e-3)
    assert np.allclose(picture.alpha / 65535, values[..., 3], atol=1e-3)


def test_lossy_compression_gives_way_unless_it_is_asked_for(render_passes, tmp_path):
    picture = read_picture(render_passes).pixels
    store(tmp_path / "d.exr", picture, "RGB", [oiio.HALF] * 3, compression="dwaa")
    copied(tmp_path / "d.exr", tmp_path / "e.exr")
    copied(tmp_path / "d.exr", tmp_path / "f.exr", codec="dwaa")
    copied(tmp_path / "d.exr", tmp_path / "g.exr", codec="rle")
    packed = {name: whole(tmp_path / f"{name}.exr")[1]["compression"] for name in "efg"}
    assert packed == {"e": "zip", "f": "dwaa", "g": "rle"}
    expected = read_picture(tmp_path / "d.exr").pixels
    assert (read_picture(tmp_path / "e.exr").pixels == expected).all()
    with pytest.raises(UsageError, match=r"--codec h264: \.exr pictures take one of none, rle"):
        open_writer(str(tmp_path / "h.exr"), open_clip(str(tmp_path / "d.exr")).info, codec="h264")


def test_a_movie_becomes_exr_with_rate_and_timecode(tmp_path, info, pan):
    movie = info(timecode="01:00:00:10")
    with open_writer(str(tmp_path / "m.####.exr"), movie) as writer:
        for frame in pan(movie, 2):
            writer.write(frame)
    read = open_clip(str(tmp_path / "m.####.exr"))
    assert (read.info.rate, read.info.timecode) == (25, "01:00:00:10")
    assert read_picture(tmp_path / "m.0001.exr").timecode == "01:00:00:11"
    levels = (next(read.frames()).image * 255).round()
    assert torch.equal(levels, pan(movie, 1)[0].image.float())


@pytest.mark.parametrize("suffix", [".exr", ".dpx"])
@pytest.mark.parametrize("rate", [50, 120])
def test_a_timecode_is_right_or_left_out(tmp_path, info, pan, rate, suffix):
    """Its tens of frames have two bits."""
    movie = info(rate=Fraction(rate), timecode=f"01:02:03:{rate - 10}")
    pattern, told = str(tmp_path / f"m.####{suffix}"), []
    with open_writer(pattern, movie) as writer:
        for frame in pan(movie, 51):
            writer.write(frame)
            told.append(read_picture(tmp_path / f"m.{frame.index:04}{suffix}").timecode)
    assert told == [*[None] * 10, *(f"01:02:04:{number:02}" for number in range(40)), None]


@pytest.mark.parametrize("rate", [(24, 0), (5000, 1)])
def test_a_rate_that_cannot_be_is_none(tmp_path, rate):
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, oiio.HALF)
    spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), rate)
    out = oiio.ImageOutput.create(str(tmp_path / "a.exr"))
    assert out.open(str(tmp_path / "a.exr"), spec)
    out.write_image(np.zeros((HEIGHT, WIDTH, 3), np.float32))
    out.close()
    assert open_clip(str(tmp_path / "a.exr")).info.rate == 24


def test_what_cannot_be_read_is_named(tmp_path):
    for name, content in (("cut.exr", b"v/1\x01"), ("text.dpx", b"hello")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(MediaError, match=f"{name}: not a picture"):
            open_clip(str(tmp_path / name))
    values = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    store(tmp_path / "no.exr", values, ("Z", "mask"), [oiio.FLOAT] * 2)
    with pytest.raises(MediaError, match=r"no\.exr: no channels R, G, B or Y, only Z, mask"):
        open_clip(str(tmp_path / "no.exr"))
    with pytest.raises(MediaError, match=r"no channel 'alpha'; it has Z, mask"):
        read_channel(tmp_path / "no.exr", "alpha")


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.exr").write_bytes(b"v/1")
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)
    with pytest.raises(UsageError, match=r"a\.exr: needs OpenImageIO; .*vidstyle\[post\]"):
        open_clip(str(tmp_path / "a.exr"))
