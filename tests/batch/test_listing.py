"""The shots that folders, lists and timelines name."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest
from opentimelineio.opentime import RationalTime, TimeRange

from vidstyle.batch.listing import read_shots
from vidstyle.batch.shot import Named
from vidstyle.batch.timeline import _local
from vidstyle.errors import MediaError, UsageError
from vidstyle.media.video.probe import probe

FILM = Fraction(24000, 1001)
NTSC = Fraction(30000, 1001)


def _clip(path: Path, timecode: str = "01:00:00:00", rate: Fraction = FILM) -> None:
    """Forty black frames."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, width=64, height=64)
        stream.metadata["timecode"] = timecode
        for _ in range(40):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def test_a_folder_names_its_clips_and_sequences(tmp_path: Path) -> None:
    (tmp_path / "sh20").mkdir()
    for name in ("b.mov", "a.MP4", ".hidden.mov", "notes.txt", "still.png", "plate.1001.exr",
                 "plate.1002.exr", "sh20/p.0001.png", "sh20/p.0002.png"):  # fmt: skip
        (tmp_path / name).touch()
    found = [(s.name, str(Path(s.source).relative_to(tmp_path))) for s in read_shots(tmp_path)]
    assert found == [
        ("a", "a.MP4"), ("b", "b.mov"), ("plate", "plate.####.exr"), ("sh20", "sh20/p.####.png")
    ]  # fmt: skip


def test_a_csv(tmp_path: Path) -> None:
    table = tmp_path / "shots.csv"
    table.write_text(
        "\ufeffSource,name,In,Out,object,style,strength,invert,output,flow size\n"
        "a.mov,sh10,01:00:00:05,20,person|dog,a.jpg|b.jpg,0.5,yes,,\n"
        "\n"
        '"weird, name.mov",,,,"box:1,2,30,40",a.jpg,,,deep/out.mov,360\n',
        encoding="utf-8",
    )
    first, second = read_shots(table)
    assert (first.name, first.source) == ("sh10", str(tmp_path / "a.mov"))
    assert first.range == Named("01:00:00:05", "20")
    assert first.objects == ("person", "dog")
    assert first.styles == (str(tmp_path / "a.jpg"), str(tmp_path / "b.jpg"))
    assert first.options == {"strength": 0.5, "invert": True}
    assert second.objects == ("box:1,2,30,40",)
    assert second.options == {"flow_size": 360}
    assert second.output == "deep/out.mov"


def test_yaml_reads_timecodes_as_they_are_written(tmp_path: Path) -> None:
    """YAML 1.1 would take 10:00:00:00 for a number in base 60."""
    table = tmp_path / "shots.yaml"
    table.write_text(
        """
shots:
  - source: a.mov
    in: 10:00:00:00
    out: 10:00:01:00
    object: [person, "box:1,2,30,40"]
    style: [a.jpg, b.jpg]
    handles: 8
    invert: no
  - source: b.mov
"""
    )
    first, second = read_shots(table)
    assert first.range == Named("10:00:00:00", "10:00:01:00")
    assert first.objects == ("person", "box:1,2,30,40")
    assert (first.handles, first.options) == (8, {"invert": False})
    assert (second.range, second.handles, second.styles) == (Named(), None, ())


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a.csv", "source,strenght\na.mov,1\n", UsageError, "row 2: .* did you mean strength"),
        ("a.csv", "source,strength\na.mov,2\n", UsageError, "row 2: strength '2': must lie"),
        ("a.csv", "source,strength\na.mov,x\n", UsageError, "row 2: strength 'x'"),
        ("a.csv", "source,detail\na.mov,2\n", UsageError, "row 2: detail '2': must lie"),
        ("a.csv", "source,style_scale\na.mov,9\n", UsageError, "row 2: style_scale '9': must lie"),
        ("a.csv", "source,temporal\na.mov,some\n", UsageError, "'some': is none of blend, off"),
        ("a.csv", "source,invert\na.mov,perhaps\n", UsageError, "neither yes nor no"),
        ("a.csv", "source,handles\na.mov,-2\n", UsageError, "handles '-2'"),
        ("a.csv", "source\na.mov,b.mov\n", UsageError, "more fields than columns"),
        ("a.csv", "name\nsh10\n", UsageError, "row 2: no source"),
        ("a.csv", "source\n", MediaError, "lists no shots"),
        ("a.yaml", "shots: [a.mov]", UsageError, "shot 1: not a mapping"),
        ("a.yaml", "shots: {source: a.mov}", UsageError, "not a list of shots"),
        ("a.yaml", "- source: [[a]]", UsageError, "source: neither a string nor a list"),
        ("a.yaml", "- {source: a.mov", MediaError, "not YAML"),
        ("a.yaml", "- !!python/object/apply:os.getcwd []", UsageError, "not a mapping"),
        ("a.otio", "{}", MediaError, "timeline"),
        ("a.edl", "no edl at all", MediaError, "a.edl"),
        ("a.txt", "a.mov", UsageError, "not a list of shots; give a folder"),
    ],
)
def test_bad_lists_are_refused_with_their_place(tmp_path, name, text, error, message) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(error, match=message):
        read_shots(tmp_path / name)


def test_text_in_another_code_and_missing_lists_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"source\n\xff\xfe.mov\n")
    with pytest.raises(MediaError, match="not a CSV in UTF-8"):
        read_shots(tmp_path / "a.csv")
    with pytest.raises(MediaError, match="no such folder or list"):
        read_shots(tmp_path / "none.otio")


EDL = """TITLE: SHOTS
FCM: {fcm}

001  A001C003 V     C        01:00:00{0}05 01:00:00{0}15 00:00:00{0}00 00:00:00{0}10
* FROM CLIP NAME: sh10.mov
* VIDSTYLE: object=person style="two words.jpg" strength=0.3
002  SH20     V     C        01:00:00{0}10 01:00:01{0}04 00:00:00{0}10 00:00:01{0}04
003  GONE     V     C        01:00:10{0}05 01:00:10{0}15 00:00:01{0}04 00:00:01{0}14
004  SH20     AA    C        01:00:00{0}00 01:00:01{0}00 00:00:02{0}00 00:00:03{0}00
"""


@pytest.mark.parametrize(
    ("rate", "mark"), [(FILM, ":"), (Fraction(25), ":"), (NTSC, ":"), (NTSC, ";")]
)
def test_an_edl_counts_as_its_clips_do(tmp_path: Path, rate: Fraction, mark: str) -> None:
    for name in ("sh10.mov", "sh20.mov"):
        _clip(tmp_path / name, f"01:00:00{mark}00", rate)
    fcm = "DROP FRAME" if mark == ";" else "NON-DROP FRAME"
    (tmp_path / "cut.edl").write_text(EDL.format(mark, fcm=fcm))
    first, second, gone = read_shots(tmp_path / "cut.edl")
    assert (first.name, first.source) == ("sh10", str(tmp_path / "sh10.mov"))
    assert (first.objects, first.options) == (("person",), {"strength": 0.3})
    assert first.styles == (str(tmp_path / "two words.jpg"),)
    assert first.range.frames(probe(first.source), 0) == (5, 14)
    assert first.range.frames(probe(first.source), 3) == (2, 17)
    assert (second.name, second.source) == ("SH20", str(tmp_path / "sh20.mov"))
    assert second.range.frames(probe(second.source), 0) == (10, round(rate) + 3)
    assert (gone.name, gone.source) == ("GONE", "")
    assert "no file for clip" in gone.trouble


def test_an_edl_without_its_clips_wants_to_know_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "cut.edl").write_text(EDL.format(":", fcm="NON-DROP FRAME"))
    with pytest.raises(MediaError, match=r"none of its clips .* --media DIR, or --rate"):
        read_shots(tmp_path / "cut.edl")
    shots = read_shots(tmp_path / "cut.edl", rate=Fraction(25))
    assert [shot.trouble is None for shot in shots] == [False] * 3
    (tmp_path / "media").mkdir()
    _clip(tmp_path / "media/sh10.mov")
    shots = read_shots(tmp_path / "cut.edl", tmp_path / "media")
    assert [shot.trouble is None for shot in shots] == [True, False, False]


def test_an_edl_with_speeds_black_and_a_mark_at_its_start(tmp_path: Path) -> None:
    """Double speed, backwards, a freeze; black has no footage; some programs write a mark."""
    _clip(tmp_path / "A001.mov")
    events = [
        ("A001", 5, 8, 4, "M2   A001       048.0                01:00:00:05\n"),
        ("A001", 5, 8, 4, "M2   A001      -048.0                01:00:00:05\n"),
        ("A001", 5, 6, 8, "M2   A001       000.0                01:00:00:05\n"),
        ("BL", 0, 8, 8, ""),
        ("A001", 5, 9, 4, ""),
    ]

    def tc(frame: int) -> str:
        return f"00:00:{frame // 24:02}:{frame % 24:02}"

    text, at = "TITLE: T\n\n", 0
    for number, (reel, first, stop, length, effect) in enumerate(events, 1):
        used = (tc(frame).replace("00:", "01:", 1) for frame in (first, stop))
        times = " ".join((*used, tc(at), tc(at + length)))
        name = f"* FROM CLIP NAME: {reel}.mov\n" if reel != "BL" else ""
        text += f"{number:03}  {reel:<8} V     C        {times}\n{effect}{name}"
        at += length
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "cut.edl").write_text(text, encoding)
        shots = read_shots(tmp_path / "cut.edl", rate=Fraction(24))
        assert [shot.trouble for shot in shots] == [None] * 4
        taken = [shot.range.frames(probe(shot.source), 0) for shot in shots]
        assert taken == [(5, 12), (5, 12), (5, 5), (5, 8)]


def test_a_retimed_clip_of_a_timeline_takes_all_that_it_goes_through(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "vidstyle")
    _clip(tmp_path / "a.mov")
    source = otio.schema.ExternalReference("a.mov", _range(0, 30))
    fast = otio.schema.Clip("fast", source, _range(4, 10))
    fast.effects.append(otio.schema.LinearTimeWarp(time_scalar=1.5))
    back = otio.schema.Clip("back", source, _range(4, 10))
    back.effects.append(otio.schema.LinearTimeWarp(time_scalar=-1))
    black = otio.schema.Clip("slug", otio.schema.GeneratorReference("", "black"), _range(0, 9))
    _timeline(fast, black, back, path=tmp_path / "cut.otio")
    fast_shot, back_shot = read_shots(tmp_path / "cut.otio")
    assert fast_shot.range.frames(probe(fast_shot.source), 0) == (4, 18)
    assert back_shot.range.frames(probe(back_shot.source), 0) == (4, 13)
    assert "clip 'fast': at 150% speed, all 15 frames" in caplog.text
    assert "clip 'back': at 100% speed, reversed, all 10 frames" in caplog.text


def _timeline(*clips: otio.schema.Clip, path: Path) -> None:
    timeline = otio.schema.Timeline("cut")
    track = otio.schema.Track("V1", kind="Video")
    timeline.tracks.append(track)
    track.extend(clips)
    otio.adapters.write_to_file(timeline, str(path))


def _range(start: float, length: float, rate: float = 24000 / 1001) -> TimeRange:
    return TimeRange(RationalTime(start, rate), RationalTime(length, rate))


def test_a_timeline_takes_from_each_clip_what_it_shows(tmp_path: Path) -> None:
    """By the clock of its media reference, by timecode, or from zero, at another rate too."""
    _clip(tmp_path / "a b.mov")
    source = otio.schema.ExternalReference("a%20b.mov", _range(86400, 30))
    plain = otio.schema.ExternalReference("a b.mov")
    shown = [
        otio.schema.Clip("by clock", source, _range(86405, 10)),
        otio.schema.Clip("by timecode", plain, _range(86405, 10)),
        otio.schema.Clip("from zero", plain, _range(5, 10)),
        otio.schema.Clip("at twice the rate", source, _range(172810, 20, 48000 / 1001)),
        otio.schema.Clip("by its name", None, _range(5, 10)),
    ]
    shown[-1].name = "A B"
    off = otio.schema.Clip("disabled", source, _range(86405, 10))
    off.enabled = False
    _timeline(*shown, otio.schema.Gap(source_range=_range(0, 5)), off, path=tmp_path / "cut.otio")
    shots = read_shots(tmp_path / "cut.otio")
    assert [shot.name for shot in shots] == [clip.name for clip in shown]
    for shot in shots:
        assert shot.source == str(tmp_path / "a b.mov")
        assert shot.range.frames(probe(shot.source), 0) == (5, 14)
        assert shot.range.frames(probe(shot.source), 8) == (0, 22)


@pytest.mark.parametrize("url", ["take#2.mov", "file:///{}take#2.mov", "file:///{}take%232.mov"])
def test_a_timeline_names_files_by_url_or_path(tmp_path: Path, url: str) -> None:
    (tmp_path / "take#2.mov").touch()
    source = otio.schema.ExternalReference(url.format(tmp_path.as_posix().lstrip("/") + "/"))
    _timeline(otio.schema.Clip("shot", source, _range(0, 10)), path=tmp_path / "cut.otio")
    (shot,) = read_shots(tmp_path / "cut.otio")
    assert Path(shot.source) == tmp_path / "take#2.mov"


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("file:///C:/plates/a%20b.mov", "C:/plates/a b.mov"),
        ("file://server/plates/a.mov", "//server/plates/a.mov"),
        ("file://localhost/plates/a.mov", "/plates/a.mov"),
    ],
)
def test_urls_of_drives_and_servers(url: str, file: str) -> None:
    assert _local(url, Path("cut.otio")) == Path(file)


def test_dissolves_are_part_of_both_shots(tmp_path: Path) -> None:
    _clip(tmp_path / "a.mov")
    clips = [
        otio.schema.Clip(
            name, otio.schema.ExternalReference("a.mov", _range(0, 30)), _range(10, 10)
        )
        for name in ("out", "in")
    ]
    half = RationalTime(3, 24000 / 1001)
    dissolve = otio.schema.Transition("mix", "SMPTE_Dissolve", half, half)
    _timeline(clips[0], dissolve, clips[1], path=tmp_path / "cut.otio")
    out, in_ = read_shots(tmp_path / "cut.otio")
    assert out.range.frames(probe(out.source), 0) == (10, 22)
    assert in_.range.frames(probe(in_.source), 0) == (7, 19)


def test_a_timeline_of_image_sequences(tmp_path: Path) -> None:
    (tmp_path / "plates").mkdir()
    for number in range(1001, 1011):
        (tmp_path / f"plates/p.{number}.png").touch()
    sequence = otio.schema.ImageSequenceReference(
        "plates/", "p.", ".png", 1001, 1, 24, 4, available_range=_range(1001, 10, 24)
    )
    clip = otio.schema.Clip("sh10", sequence, _range(1003, 5, 24))
    clip.metadata["vidstyle"] = {"object": ["person", "dog"], "strength": 0.5, "invert": True}
    _timeline(clip, path=tmp_path / "cut.otio")
    (shot,) = read_shots(tmp_path / "cut.otio")
    assert shot.source == str(tmp_path / "plates/p.%04d.png")
    assert shot.objects == ("person", "dog")
    assert shot.options == {"strength": 0.5, "invert": True}


def test_a_part_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    _clip(tmp_path / "a.mov")
    source = otio.schema.ExternalReference("a.mov", _range(86410, 20))
    _timeline(otio.schema.Clip("early", source, _range(86405, 10)), path=tmp_path / "cut.otio")
    (shot,) = read_shots(tmp_path / "cut.otio")
    with pytest.raises(UsageError, match="10 frames from frame -5"):
        shot.range.frames(probe(shot.source), 0)
