"""What goes through ``render --strength 0`` unchanged: a row for each kind in and kind out.

Every cell is found by reading the written file back, and the rows together are the table in
``docs/wrangler.md``.
To add a kind: a function that makes it, in ``SOURCES``; to add a row: a line of ``ROWS``. With
``VIDSTYLE_WRITE_TABLE=1`` the table there is written again.
"""

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidstyle.media.ocio import Config
from vidstyle.media.pattern import pictures
from vidstyle.media.picture import read_channel
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.reader import open_clip
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.job import Job, run
from vidstyle.runtime.progress import build_progress

oiio = pytest.importorskip("OpenImageIO")

GUIDE = Path(__file__).parents[2] / "docs" / "wrangler.md"
HEIGHT, WIDTH, COUNT, FIRST = 48, 64, 3, 1001
TIMECODE = "01:00:00:10"


def bars(number: int, bits: int) -> NDArray[np.uint16]:
    """Bars of 75 % over a ramp, as code values of ``bits``: (H, W, 3). The ramp goes up pixel by
    pixel, line after line, so that it holds every code of up to 10 bits and, from picture to
    picture, others of more."""
    top = (1 << bits) - 1
    on = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1]])
    wide = np.repeat(on, WIDTH // 7 + 1, axis=0)[:WIDTH] * (0.75 * top)
    ramp = np.arange(32 * WIDTH).reshape(32, WIDTH, 1)
    codes = ramp % (top + 1) if bits <= 10 else ramp * (top // (32 * WIDTH)) + number
    picture = np.concatenate([np.repeat(wide[None], 16, axis=0), np.repeat(codes, 3, axis=2)])
    return np.rint(picture).astype(np.uint16)


def full_scale(codes: NDArray[np.uint16], bits: int) -> NDArray[np.uint16]:
    return np.rint(codes * (65535 / ((1 << bits) - 1))).astype(np.uint16)


def by_oiio(suffix: str, kind: str, *, bits: int = 16, alpha: bool = False) -> Callable[..., str]:
    def make(folder: Path) -> str:
        for number in range(COUNT):
            picture = bars(number, 8 if kind == "uint8" else bits).astype(np.float32)
            if kind in ("half", "float"):
                picture = picture / 65535 * 101 - 1
                picture[0, :4] = np.array([-1, 0, 1e-7, 100])[:, None]
                if suffix == "exr":
                    picture = np.dstack([picture, picture[..., 0]])
                names = ("R", "G", "B", "depth.Z")[: picture.shape[2]]
            else:
                if kind == "uint16":
                    picture = full_scale(picture.astype(np.uint16), bits)
                if alpha:
                    picture = np.dstack([picture, picture[..., 1]])
                names = ("R", "G", "B", "A")[: picture.shape[2]]
            spec = oiio.ImageSpec(WIDTH, HEIGHT, len(names), oiio.TypeDesc(kind))
            spec.channelnames = names
            spec["Copyright"] = "take 7"
            spec["oiio:UnassociatedAlpha"] = 1
            if suffix == "dpx":
                spec["oiio:BitsPerSample"], spec["oiio:Endian"] = bits, "big"
            if suffix == "exr":
                spec["colorInteropID"] = "lin_ap1_scene"
                spec.attribute("FramesPerSecond", oiio.TypeDesc("rational"), (24000, 1001))
                spec.attribute(
                    "smpte:TimeCode", oiio.TypeDesc("timecode"), (0x01000010 + number, 0)
                )
            path = str(folder / f"in.{FIRST + number}.{suffix}")
            out = oiio.ImageOutput.create(path)
            assert out.open(path, spec), out.geterror()
            assert out.write_image(np.ascontiguousarray(picture.astype(_NUMPY[kind])))
            out.close()
        return str(folder / f"in.####.{suffix}")

    return make


_NUMPY = {"uint8": np.uint8, "uint16": np.uint16, "half": np.float32, "float": np.float32}


def by_opencv(suffix: str, bits: int, *, alpha: bool = False) -> Callable[..., str]:
    def make(folder: Path) -> str:
        for number in range(COUNT):
            picture = bars(number, bits).astype(np.uint8 if bits == 8 else np.uint16)
            stored = np.dstack([picture, picture[..., 1]]) if alpha else picture
            cv2.imwrite(str(folder / f"in.{FIRST + number}.{suffix}"), stored)
        return str(folder / f"in.####.{suffix}")

    return make


def by_pyav(suffix: str, codec: str, pix_fmt: str, bits: int) -> Callable[..., str]:
    """With tags, a title, timecode and sound, without loss."""

    def make(folder: Path) -> str:
        path = folder / f"in.{suffix}"
        lossless = {
            "libx264": {"qp": "0"},
            "libx265": {"x265-params": "lossless=1:log-level=error"},
        }
        rgb = pix_fmt.startswith(("gbr", "bgr"))
        with av.open(str(path), "w") as container:
            container.metadata["title"] = "take 7"
            video = container.add_stream(codec, rate=24, options=lossless.get(codec, {}))
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, pix_fmt
            context = video.codec_context
            video.time_base = context.time_base = Fraction(1, 24000)
            context.colorspace, context.color_range = (0, 2) if rgb else (9, 1)
            context.color_primaries, context.color_trc = 9, 14
            if suffix == "mov":
                video.metadata["timecode"] = TIMECODE
            sound = container.add_stream("aac", rate=48000, layout="mono")
            for number in range(COUNT):
                wide = full_scale(bars(number, bits), bits)
                frame = av.VideoFrame.from_ndarray(wide, format="rgb48le")
                colours = {} if rgb else {"dst_colorspace": 9, "dst_color_range": 1}
                frame = frame.reformat(format=pix_fmt, **colours)
                frame.pts, frame.time_base = 1000 * number, video.time_base
                container.mux(video.encode(frame))
            container.mux(video.encode())
            tone = np.sin(np.arange(9600) / 20, dtype=np.float32)[None] / 4
            heard = av.AudioFrame.from_ndarray(tone, "fltp", "mono")
            heard.sample_rate, heard.pts, heard.time_base = 48000, 0, Fraction(1, 48000)
            container.mux(sound.encode(heard))
            container.mux(sound.encode())
        return str(path)

    return make


SOURCES: dict[str, Callable[[Path], str]] = {
    "EXR half": by_oiio("exr", "half"),
    "EXR float": by_oiio("exr", "float"),
    "DPX 10-bit": by_oiio("dpx", "uint16", bits=10),
    "DPX 12-bit": by_oiio("dpx", "uint16", bits=12),
    "DPX 16-bit": by_oiio("dpx", "uint16"),
    "TIFF 8-bit, alpha": by_oiio("tif", "uint8", alpha=True),
    "TIFF 16-bit": by_oiio("tif", "uint16"),
    "TIFF float": by_oiio("tif", "float"),
    "PNG 8-bit": by_opencv("png", 8),
    "PNG 16-bit, alpha": by_opencv("png", 16, alpha=True),
    "JPEG": by_opencv("jpg", 8),
    "FFV1 RGB 8-bit": by_pyav("mkv", "ffv1", "bgr0", 8),
    "FFV1 RGB 16-bit": by_pyav("mkv", "ffv1", "gbrp16le", 16),
    "H.264 4:4:4 8-bit": by_pyav("mov", "libx264", "yuv444p", 8),
    "H.264 4:4:4 10-bit": by_pyav("mov", "libx264", "yuv444p10le", 10),
    "HEVC 4:2:2 10-bit": by_pyav("mov", "libx265", "yuv422p10le", 10),
    "HEVC 4:4:4 12-bit": by_pyav("mov", "libx265", "yuv444p12le", 12),
}

YES, NO, NONE = "✓", "–", ""

# What is lost where a picture goes into another format; and where its light is seen by a view.
PICTURE_ALONE = dict.fromkeys(("rate", "other channels", "colour", "timecode", "metadata"), NO)
VIEWED = {"other channels": NO, "colour": NO, "metadata": NO, "pixels": "the view's, coded"}
VIEW_EXACT = {"pixels": "the view's, ≤ 1 code"}

# Kind in, output, preset or compression, and what is not simply kept.
ROWS: list[tuple[str, str, str | None, dict[str, str]]] = [
    ("EXR half", "out.####.exr", None, {}),
    ("EXR float", "out.####.exr", None, {}),
    ("EXR half", "out.####.tif", None, PICTURE_ALONE | {"depth": "float"}),
    ("EXR half", "out.####.png", None, PICTURE_ALONE | VIEW_EXACT | {"depth": "16"}),
    ("EXR half", "out.mov", "prores-4444", VIEWED | {"depth": "12"}),
    ("DPX 10-bit", "out.####.dpx", None, {}),
    ("DPX 10-bit", "out.####.exr", None, {"depth": "half", "pixels": "≤ 1 code", "metadata": NO}),
    ("DPX 10-bit", "out.mov", "prores-4444", {"depth": "12", "pixels": "coded", "metadata": NO}),
    ("DPX 12-bit", "out.####.dpx", None, {}),
    ("DPX 16-bit", "out.####.dpx", None, {}),
    ("TIFF 8-bit, alpha", "out.####.tif", None, {}),
    ("TIFF 16-bit", "out.####.tif", None, {}),
    ("TIFF float", "out.####.tif", None, {}),
    ("PNG 8-bit", "out.####.png", None, {}),
    ("PNG 16-bit, alpha", "out.####.png", None, {}),
    ("PNG 16-bit, alpha", "out.mkv", "ffv1", {"frames, times": "to 1 ms"}),
    ("JPEG", "out.####.jpg", None, {"pixels": "coded"}),
    ("JPEG", "out.####.png", None, {}),
    ("FFV1 RGB 8-bit", "out.mkv", "ffv1", {}),
    ("FFV1 RGB 16-bit", "out.mkv", "ffv1", {}),
    ("FFV1 RGB 16-bit", "out.####.png", None, {"colour": NO, "metadata": NO, "sound": NO}),
    ("H.264 4:4:4 8-bit", "out.mov", "h264", {"pixels": "coded"}),
    ("H.264 4:4:4 8-bit", "out.mkv", "ffv1", {"frames, times": "to 1 ms"}),
    ("H.264 4:4:4 10-bit", "out.mov", "prores-4444", {"depth": "12", "pixels": "≤ 1 code"}),
    ("HEVC 4:2:2 10-bit", "out.mov", "prores", {"pixels": "coded"}),
    ("HEVC 4:4:4 12-bit", "out.mov", "hevc", {"pixels": "coded"}),
]


class Clip:
    """A clip as it lies on disk, for comparison."""

    def __init__(self, source: str) -> None:
        reader = open_clip(source)
        self.source, self.info = source, reader.info
        self.frames = list(reader.frames())

    def pixels(self) -> NDArray[np.float64]:
        """(N, H, W, 3), white at 1."""
        images = np.stack([frame.image.numpy() for frame in self.frames])
        return images / (1 if self.info.is_float else np.iinfo(images.dtype).max)

    def depth(self) -> str:
        if not self.info.is_float:
            return str(self.info.bits)
        return "half" if self.info.bits == 16 else "float"

    def words(self) -> str | None:
        """The source's remark, from the container or the first picture."""
        if not self.info.is_sequence:
            with av.open(self.source) as container:
                return {key.lower(): value for key, value in container.metadata.items()}.get(
                    "title"
                )
        path = str(pictures(self.source)[0].path)
        source = oiio.ImageInput.open(path)
        try:
            return source.spec().get_string_attribute("Copyright") or None
        finally:
            source.close()

    def other_channel(self) -> bytes | None:
        """What lies beside colour and alpha in an EXR file."""
        if self.info.codec != "exr":
            return None
        path = pictures(self.source)[0].path
        source = oiio.ImageInput.open(str(path))
        names = source.spec().channelnames
        source.close()
        others = [read_channel(path, name) for name in names if name not in "RGBA"]
        return others[0].tobytes() if others else None

    def sound(self) -> list[tuple[int, bytes]] | None:
        if self.info.is_sequence:
            return None
        with av.open(self.source) as container:
            if not container.streams.audio:
                return None
            packets = [packet for packet in container.demux(audio=0) if packet.size]
            return [(round(1000 * p.pts * p.time_base), bytes(p)) for p in packets]


def kept(one: Clip, two: Clip) -> dict[str, str]:
    """What of the first clip is in the second: all of it, none, or as near as told; an empty cell
    where there was nothing to keep."""
    a, b = one.info, two.info
    return {
        "frames, times": _times(one, two),
        "rate": YES if a.rate == b.rate else NO,
        "numbers": _same(_numbers(one), _numbers(two)) if b.is_sequence else NONE,
        "depth": YES if one.depth() == two.depth() else two.depth(),
        "pixels": _near(one, two),
        "alpha": _same(_alphas(one), _alphas(two)),
        "other channels": _same(one.other_channel(), two.other_channel()),
        "colour": YES if _colour(a) == _colour(b) else NO,
        "timecode": _same(a.timecode, b.timecode),
        "metadata": _same(one.words(), two.words()),
        "sound": _same(one.sound(), two.sound()),
    }


def _same(one: object, two: object) -> str:
    if one is None:
        return NONE
    return YES if one == two else NO


def _times(one: Clip, two: Clip) -> str:
    starts = [[frame.time - clip.frames[0].time for frame in clip.frames] for clip in (one, two)]
    if len(starts[0]) != len(starts[1]):
        return NO
    # What pictures tell of time is their numbers and their rate.
    if two.info.is_sequence or starts[0] == starts[1]:
        return YES
    late = max(abs(a - b) for a, b in zip(*starts, strict=True))
    return "to 1 ms" if late <= Fraction(1, 1000) else NO


def _numbers(clip: Clip) -> list[int] | None:
    return [file.number for file in pictures(clip.source)] if clip.info.is_sequence else None


def _alphas(clip: Clip) -> list[bytes] | None:
    if not clip.info.alpha:
        return None
    return [frame.alpha.numpy().tobytes() for frame in clip.frames if frame.alpha is not None]


def _colour(info: ClipInfo) -> tuple[object, ...]:
    tags = info.colour
    return tags.primaries, tags.transfer, info.space


def _near(one: Clip, two: Clip) -> str:
    a, b = one.pixels(), two.pixels()
    if np.array_equal(a, b):
        return "exact"
    bits, viewed = one.info.bits, ""
    if one.info.is_float and not two.info.is_float:
        seen = Config().looked_at("ACEScg").to(a.astype(np.float32))
        a, bits, viewed = seen.clip(0, 1), two.info.bits, "the view's, "
    elif one.info.is_float:
        return NO
    off = np.abs(a - b)
    if off.max() * ((1 << bits) - 1) <= 1.01:
        return f"{viewed}≤ 1 code"
    return f"{viewed}coded" if off.mean() < 0.01 else NO


MEASURED: dict[int, dict[str, str]] = {}


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda n: f"{ROWS[n][0]} to {ROWS[n][1]}")
def test_what_is_kept(number, tiny_model, style_picture, tmp_path) -> None:
    kind, target, codec, lost = ROWS[number]
    source = SOURCES[kind](tmp_path)
    out = str(tmp_path / target)
    options = RenderOptions(
        strength=0, codec=codec, model=str(tiny_model), device="cpu", temporal="off"
    )
    job = Job(
        source=source,
        target=out,
        objects=[StyledObject(None, str(style_picture))],
        options=options,
    )
    run(job, build_progress("none"))
    found = kept(Clip(source), Clip(out))
    MEASURED[number] = found
    everything = {name: value if value == NONE else YES for name, value in found.items()}
    assert found == everything | {"pixels": "exact"} | lost


def test_the_guide_has_the_table() -> None:
    if len(MEASURED) < len(ROWS):
        pytest.skip("takes all rows")
    text = GUIDE.read_text(encoding="utf-8")
    begin, end = "<!-- preservation -->\n", "<!-- /preservation -->"
    before, rest = text.split(begin)
    found, after = rest.split(end)
    table = _table()
    if os.environ.get("VIDSTYLE_WRITE_TABLE"):
        GUIDE.write_text(before + begin + table + end + after, encoding="utf-8")
    else:
        assert found == table, "run this with VIDSTYLE_WRITE_TABLE=1"


def _table() -> str:
    names = list(MEASURED[0])
    lines = [["in", "out", *names], ["---"] * (len(names) + 2)]
    for number, (kind, target, codec, _) in enumerate(ROWS):
        out = " ".join(filter(None, [target.split(".")[-1].upper(), codec]))
        lines.append([kind, out, *MEASURED[number].values()])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
