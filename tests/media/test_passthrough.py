"""What of movies goes through, by kind of input and of output: every cell of
``passthrough.md`` is read back from a written file.

``python tests/video/test_passthrough.py > tests/video/passthrough.md`` writes the table again.
"""

import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data
import torch
from av.container import InputContainer

from vidstyle.errors import UsageError
from vidstyle.media.frame import Frame, full_scale
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import CODECS
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.encoder import check_encoder
from vidstyle.media.video.hdr import HdrMetadata
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.writer import open_writer

TABLE = Path(__file__).with_name("passthrough.md")
SIZE = 144, 256
COUNT = 6

OUTPUTS = [
    ("h264", "mp4"), ("hevc-10bit", "mov"), ("av1", "mkv"), ("prores", "mov"),
    ("prores-4444", "mov"), ("dnxhr-hqx", "mov"), ("ffv1", "mkv"), ("ffv1", "mp4"),
    ("ffv1", "avi"), ("dnxhr-hqx", "mxf"),
]  # fmt: skip

HEADS = ("input", "output", "frames", "times", "rate", "aspect", "pixels", "bits", "colour",
         "alpha", "HDR", "timecode", "sound", "subtitles", "chapters", "metadata")  # fmt: skip

P3 = HdrMetadata(
    (34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450), (50, 10_000_000), (1000, 400)
)


def _info(
    rate: Fraction, pix_fmt: str, bits: int, colour: ColourTags, **fields: object
) -> ClipInfo:
    values = {
        "path": "", "height": SIZE[0], "width": SIZE[1], "rate": rate,
        "time_base": Fraction(1, rate.numerator), "start_pts": 0, "frame_count": None,
        "duration": None, "codec": "", "pix_fmt": pix_fmt, "bits": bits, "colour": colour,
    }  # fmt: skip
    return ClipInfo(**(values | fields))  # type: ignore[arg-type]


def _frames(info: ClipInfo, ticks: list[int] | None = None) -> Iterator[Frame]:
    """A pan over a photograph, with a ramp of alpha where the clip has any."""
    picture = skimage.data.astronaut()
    kind = np.uint8 if info.bits == 8 else np.uint16
    ramp = np.linspace(0, np.iinfo(kind).max, info.width).round().astype(kind)
    alpha = torch.from_numpy(np.repeat(ramp[None], info.height, axis=0)) if info.alpha else None
    tick = round(1 / (info.rate * info.time_base))
    for number in range(COUNT):
        crop = picture[60 : 60 + info.height, 4 * number : 4 * number + info.width]
        image = np.ascontiguousarray(crop).astype(kind) * (1 if info.bits == 8 else 257)
        pts = number * tick if ticks is None else ticks[number]
        yield Frame(torch.from_numpy(image), number, pts, info.time_base, alpha)


def _write(path: Path, info: ClipInfo, codec: str, ticks: list[int] | None = None) -> None:
    with open_writer(str(path), info, codec=codec) as writer:
        for frame in _frames(info, ticks):
            writer.write(frame)


def _with_company(picture: Path, path: Path) -> None:
    """The clip with three tracks of sound, subtitles, chapters and a camera's metadata."""
    with (
        av.open(str(picture)) as source,
        av.open(
            str(path), "w", options={"movflags": "use_metadata_tags", "movie_timescale": "48000"}
        ) as container,
    ):
        # Not from the template, whose rate is lost, and the timecode with it.
        video = container.add_stream("prores_ks", rate=source.streams.video[0].average_rate)
        context, coded = video.codec_context, source.streams.video[0].codec_context
        context.height, context.width, context.pix_fmt = *SIZE, "yuv422p10le"
        video.time_base = context.time_base = source.streams.video[0].time_base
        for tag in ("colorspace", "color_range", "color_primaries", "color_trc"):
            setattr(context, tag, getattr(coded, tag))
        video.metadata["timecode"] = source.streams.video[0].metadata["timecode"]
        tracks = [
            container.add_stream("pcm_s16le", rate=hertz, layout=layout)
            for hertz, layout in ((48000, "stereo"), (44100, "mono"), (48000, "mono"))
        ]
        titles = container.add_stream("mov_text")
        titles.time_base = titles.codec_context.time_base = Fraction(1, 1000)
        titles.codec_context.subtitle_header = _HEADER
        container.metadata.update({"title": "Plate", "com.apple.quicktime.make": "ARRI"})
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 100, "time_base": Fraction(1, 1000),
              "metadata": {"title": "One"}}]
        )  # fmt: skip
        for packet in source.demux(source.streams.video[0]):
            if packet.size:
                packet.stream = video
                container.mux(packet)
        for number, track in enumerate(tracks):
            count = track.rate * COUNT // 24
            noise = np.random.default_rng(number).integers(-9000, 9000, (1, count * track.channels))
            sound = av.AudioFrame.from_ndarray(noise.astype(np.int16), "s16", track.layout.name)
            sound.sample_rate, sound.time_base = track.rate, Fraction(1, track.rate)
            sound.pts = 777 if number == 2 else 0
            container.mux(track.encode(sound))
            container.mux(track.encode(None))
        text = av.subtitles.subtitle.SubtitleSet.create(b"0,0,Default,,0,0,0,,Rolling", 0, 150)
        packet = titles.codec_context.encode_subtitle(text)
        packet.stream, packet.time_base = titles, Fraction(1, 1000)
        packet.pts, packet.dts, packet.duration = 50, 50, 100
        container.mux(packet)


_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, "
    b"PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
    b"StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    b"MarginL, MarginR, MarginV, Encoding\nStyle: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,"
    b"0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1\n\n[Events]\nFormat: Layer, Start, End, Style, "
    b"Name, MarginL, MarginR, MarginV, Effect, Text\n"
)


def _film(folder: Path) -> Path:
    info = _info(Fraction(24000, 1001), "yuv422p10le", 10, ColourTags(1, 1, 1, 1),
                 timecode="01:00:59:20")  # fmt: skip
    _write(folder / "picture.mov", info, "prores")
    _with_company(folder / "picture.mov", folder / "film.mov")
    return folder / "film.mov"


def _tape(folder: Path) -> Path:
    info = _info(Fraction(30000, 1001), "yuv420p", 8, ColourTags(6, 1, 6, 6),
                 timecode="00:00:59;28", sample_aspect=Fraction(10, 11))  # fmt: skip
    _write(folder / "tape.mov", info, "h264")
    return folder / "tape.mov"


def _phone(folder: Path) -> Path:
    info = _info(Fraction(30), "yuv420p", 8, ColourTags(1, 2, 1, 1), time_base=Fraction(1, 600))
    _write(folder / "upright.mov", info, "h264", ticks=[0, 20, 41, 60, 97, 117])
    turned = bytearray((folder / "upright.mov").read_bytes())
    # The matrix of the track's header (ISO/IEC 14496-12): a quarter turn.
    at = turned.index(b"tkhd") + 44
    turned[at : at + 36] = struct.pack(
        ">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, SIZE[0] << 16, 0, 1 << 30
    )
    (folder / "phone.mov").write_bytes(turned)
    return folder / "phone.mov"


def _hdr(folder: Path) -> Path:
    info = _info(Fraction(25), "yuv420p10le", 10, ColourTags(9, 1, 9, 16), hdr=P3)
    _write(folder / "hdr.mp4", info, "hevc")
    return folder / "hdr.mp4"


def _element(folder: Path) -> Path:
    info = _info(Fraction(24), "yuva444p12le", 12, ColourTags(1, 1, 1, 1), alpha=True)
    _write(folder / "element.mov", info, "prores-4444")
    return folder / "element.mov"


INPUTS: dict[str, Callable[[Path], Path]] = {
    "ProRes 23.976 NDF, 3 tracks": _film,
    "H.264 29.97 DF, BT.601, 10:11": _tape,
    "H.264 VFR, turned, full range": _phone,
    "HEVC HDR10, PQ BT.2020": _hdr,
    "ProRes 4444 with alpha": _element,
}


def _row(kind: str, source: Path, codec: str, suffix: str, folder: Path) -> list[str]:
    """The cells of one input in one output."""
    target = folder / f"out.{suffix}"
    before = open_clip(str(source))
    frames = list(before.frames())
    try:
        check_encoder(CODECS[codec], before.info)
        with open_writer(str(target), before.info, codec=codec, source=str(source)) as writer:
            for frame in frames:
                writer.write(frame)
    except UsageError as error:
        reason = str(error).split(": ", 1)[1].split(";")[0]
        return [kind, f"{codec} {suffix}", f"refused: {reason}", *["–"] * (len(HEADS) - 3)]
    after = open_clip(str(target))
    back = list(after.frames())
    with av.open(str(source)) as one, av.open(str(target)) as other:
        return [
            kind,
            f"{codec} {suffix}",
            _same(len(frames), len(back)),
            _times(frames, back),
            _rate(before.info.rate, after.info.rate),
            _same(_shape(before.info), _shape(after.info)),
            "=" if _all_equal(frames, back) else "coded",
            _bits(before.info, after.info),
            _colour(before.info, frames, after.info, back),
            _alpha(frames, back),
            _same(before.info.hdr, after.info.hdr),
            _same(before.info.timecode, after.info.timecode),
            _sound(one, other),
            _same(_titles(one), _titles(other)),
            _same(_chapters(one), _chapters(other)),
            _metadata(one, other),
        ]


def _same(before: object, after: object) -> str:
    """``=`` for equal, – for nothing there, else what has become of it."""
    if not before:
        return "–"
    return "=" if before == after else "lost"


def _rate(before: Fraction, after: Fraction) -> str:
    """The average that the file says, which depends on the length of the last frame too."""
    return "=" if before == after else "lost"


def _shape(info: ClipInfo) -> tuple[object, ...]:
    return info.size, info.sample_aspect


def _times(before: list[Frame], after: list[Frame]) -> str:
    pairs = zip(before, after, strict=True)
    worst = max(abs((b.time - before[0].time) - (a.time - after[0].time)) for b, a in pairs)
    return "=" if worst == 0 else "≤ 0.5 ms" if worst <= Fraction(1, 2000) else "moved"


def _all_equal(before: list[Frame], after: list[Frame]) -> bool:
    return all(
        b.image.dtype == a.image.dtype and torch.equal(b.image, a.image)
        for b, a in zip(before, after, strict=True)
    )


def _bits(before: ClipInfo, after: ClipInfo) -> str:
    return "=" if before.bits == after.bits else f"{before.bits}→{after.bits}"


def _colour(before: ClipInfo, frames: list[Frame], after: ClipInfo, back: list[Frame]) -> str:
    """What the tags say, where the pixels agree with it."""
    scale = full_scale(back[0].image.dtype) / full_scale(frames[0].image.dtype)
    shift = (frames[0].image.float() * scale - back[0].image.float()).mean((0, 1)).abs().max()
    if shift > full_scale(back[0].image.dtype) / 255:
        return "wrong"
    told = [
        name
        for name in ("matrix", "range", "primaries", "transfer")
        if getattr(before.colour, name) != getattr(after.colour, name)
    ]
    if not told:
        return "="
    if (after.colour.matrix, after.colour.range) == (0, 2) and "primaries" not in told:
        return "as RGB"
    if told == ["range"] and after.colour.range == 1:
        return "as limited"
    return "as BT.709" if told == ["matrix"] and after.colour.matrix == 1 else "untold"


def _alpha(before: list[Frame], after: list[Frame]) -> str:
    if before[0].alpha is None:
        return "–"
    if after[0].alpha is None:
        return "lost"
    worst = max(
        (b.alpha.int() - a.alpha.int()).abs().max() for b, a in zip(before, after, strict=True)
    )
    return "=" if worst == 0 else "≤ 1/1023" if worst <= 64 else "changed"


def _sound(before: InputContainer, after: InputContainer) -> str:
    """Every sample of every track, and when the first of them sounds."""
    ones, others = before.streams.audio, after.streams.audio
    if not ones:
        return "–"
    if len(ones) != len(others):
        return "lost"
    late = Fraction(0)
    for number in range(len(ones)):
        (start, samples), (begun, copied) = _track(before, number), _track(after, number)
        # Avi fills up with silence.
        fill = round((start - begun) * ones[number].rate) if begun == 0 else 0
        if fill > 0 and not copied[:, :fill].any():
            begun, copied = start, copied[:, fill:]
        if not np.array_equal(samples, copied):
            return "coded"
        late = max(late, abs(start - begun))
    return "=" if late == 0 else "≤ 0.5 ms" if late <= Fraction(1, 2000) else "moved"


def _track(container: InputContainer, number: int) -> tuple[Fraction, np.ndarray]:
    """Seconds at which a track begins, and its samples (channels, n)."""
    container.seek(0)
    stream = container.streams.audio[number]
    frames = list(container.decode(stream))
    parts = [
        f.to_ndarray() if f.format.is_planar
        else f.to_ndarray().reshape(-1, stream.layout.nb_channels).T
        for f in frames
    ]  # fmt: skip
    return frames[0].pts * frames[0].time_base, np.concatenate(parts, axis=1)


def _titles(container: InputContainer) -> list[tuple[float, float, bytes]]:
    if not container.streams.subtitles:
        return []
    stream = container.streams.subtitles[0]
    container.seek(0)
    return [
        (
            float(packet.pts * packet.time_base),
            float(packet.duration * packet.time_base),
            t.dialogue,
        )
        for packet in container.demux(stream)
        if packet.size
        for t in stream.codec_context.decode2(packet) or ()
    ]


def _chapters(container: InputContainer) -> list[tuple[object, ...]]:
    return [
        (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"].get("title"))
        for c in container.chapters()
    ]


def _metadata(before: InputContainer, after: InputContainer) -> str:
    own = {"major_brand", "minor_version", "compatible_brands", "encoder"}
    wanted = {k.lower(): v for k, v in before.metadata.items() if k.lower() not in own}
    found = {k.lower(): v for k, v in after.metadata.items()}
    if not wanted:
        return "–"
    kept = sum(found.get(key) == value for key, value in wanted.items())
    return "=" if kept == len(wanted) else f"{kept} of {len(wanted)}"


def _line(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _table(folder: Path) -> Iterator[str]:
    yield _line(HEADS)
    yield _line(["---"] * len(HEADS))
    for kind, make in INPUTS.items():
        source = make(folder)
        for codec, suffix in OUTPUTS:
            yield _line(_row(kind, source, codec, suffix, folder))


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    return {kind: make(folder) for kind, make in INPUTS.items()}


@pytest.mark.parametrize(("codec", "suffix"), OUTPUTS)
@pytest.mark.parametrize("kind", INPUTS)
def test_every_cell(kind, codec, suffix, sources, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SVT_LOG", "1")
    head = f"| {kind} | {codec} {suffix} |"
    (written,) = (line for line in TABLE.read_text().splitlines() if line.startswith(head))
    assert _line(_row(kind, sources[kind], codec, suffix, tmp_path)) == written


if __name__ == "__main__":
    os.environ["SVT_LOG"] = "1"
    with tempfile.TemporaryDirectory() as made:
        print("\n".join(_table(Path(made))))
