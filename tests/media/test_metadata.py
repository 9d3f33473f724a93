"""Names, makers, places, reels, chapters and subtitles go with the picture."""

from fractions import Fraction

import av
import pytest

from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.span import Span
from vidstyle.media.video.writer import open_writer

PHONE = {
    "title": "Launch",
    "creation_time": "2017-01-05T18:32:43.000000Z",
    "com.apple.quicktime.make": "Apple",
    "com.apple.quicktime.model": "iPhone 15 Pro",
    "com.apple.quicktime.location.ISO6709": "+54.1843-002.7189/",
}
MILLISECOND = Fraction(1, 1000)


def _clip(path: str, options: dict[str, str] | None = None, seconds: int = 2) -> None:
    """A clip at 25 frames/s with a reel name, a timecode, metadata and three chapters."""
    with av.open(path, "w", options=options or {}) as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=64)
        stream.metadata.update(
            {"reel_name": "A001C003", "timecode": "01:00:00:00", "title": "Camera A"}
        )
        container.metadata.update(PHONE)
        container.set_chapters(
            [
                {"id": i, "start": 600 * i, "end": 600 * (i + 1), "time_base": MILLISECOND,
                 "metadata": {"title": f"Part {i}"}}
                for i in range(3)
            ]
        )  # fmt: skip
        for _ in range(25 * seconds):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))


def _copy(source: str, target: str, start: int = 0, stop: int | None = None) -> None:
    """Write the frames of a part, with all that goes with them."""
    reader = open_clip(source)
    frames = list(reader.frames(start, stop))
    span = Span(
        frames[0].time if start else None,
        None if stop is None else frames[-1].time + 1 / reader.info.rate,
    )
    with open_writer(target, reader.info, source=source, span=span) as writer:
        for frame in frames:
            writer.write(frame)


@pytest.mark.parametrize("suffix", ["mov", "mp4", "mkv"])
def test_all_that_a_phone_writes_is_kept(tmp_path, suffix):
    source, target = str(tmp_path / "in.mov"), str(tmp_path / f"out.{suffix}")
    _clip(source, {"movflags": "use_metadata_tags"})
    _copy(source, target)
    with av.open(target) as container:
        found = {key.lower(): value for key, value in container.metadata.items()}
        video = {k.lower(): v for k, v in container.streams.video[0].metadata.items()}
        reels = {s.metadata.get("reel_name") or s.metadata.get("REEL_NAME")
                 for s in container.streams}  # fmt: skip
    assert {key.lower(): value for key, value in PHONE.items()}.items() <= found.items()
    assert "Camera A" in (video.get("name"), video.get("title"))
    # Mp4's timecode has no place for it.
    assert ("A001C003" in reels) is (suffix != "mp4")
    assert open_clip(target).info.timecode == "01:00:00:00"


def test_common_words_stay_where_every_player_reads_them(tmp_path):
    """Not in the general table, which needs another reader."""
    source, target = str(tmp_path / "in.mov"), str(tmp_path / "out.mp4")
    with av.open(source, "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=64)
        container.metadata["title"] = "Launch"
        container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    _copy(source, target)
    assert b"mdta" not in (tmp_path / "out.mp4").read_bytes()
    with av.open(target) as container:
        assert container.metadata["title"] == "Launch"


def test_a_real_clips_place_and_time_are_kept(real, tmp_path):
    target = str(tmp_path / "out.mp4")
    _copy(real("video/fire2.mp4"), target, 0, 3)
    with av.open(target) as container:
        assert container.metadata["location"] == "+54.1843-002.7189/"
        assert container.metadata["creation_time"] == "2017-01-05T18:32:43.000000Z"


def _chapters(path: str) -> list[tuple[Fraction, Fraction, str]]:
    with av.open(path) as container:
        return [
            (c["start"] * c["time_base"], c["end"] * c["time_base"], c["metadata"]["title"])
            for c in container.chapters()
        ]


@pytest.mark.parametrize("suffix", ["mov", "mp4", "mkv"])
def test_chapters_are_cut_to_the_part(tmp_path, suffix):
    source, target = str(tmp_path / "in.mkv"), str(tmp_path / f"out.{suffix}")
    _clip(source)
    _copy(source, target)
    assert _chapters(target)[:2] == _chapters(source)[:2]
    _copy(source, target, 10, 25)
    assert _chapters(target) == [
        (0, Fraction(1, 5), "Part 0"),
        (Fraction(1, 5), Fraction(3, 5), "Part 1"),
    ]


def _titles(path: str, number: int = 0) -> list[tuple[float, float, str]]:
    """When each subtitle shows and ends, in seconds, and its text."""
    with av.open(path) as container:
        stream = container.streams.subtitles[number]
        found = []
        for packet in container.demux(stream):
            for title in stream.codec_context.decode2(packet) or () if packet.size else ():
                start = float(packet.pts * packet.time_base)
                length = float(packet.duration * packet.time_base)
                found.append((start, start + length, title.dialogue.decode()))
    return found


@pytest.mark.parametrize("suffix", ["mov", "mp4", "mkv"])
def test_subtitles_are_kept_or_turned_into_the_containers_own(real, tmp_path, suffix):
    source, target = real("video/nasa_13013.mp4"), str(tmp_path / f"out.{suffix}")
    _copy(source, target)
    assert len(_titles(source)) == 4
    for number in (0, 1):
        for before, after in zip(_titles(source, number), _titles(target, number), strict=True):
            assert after == pytest.approx(before, abs=1e-3)
    with av.open(target) as container:
        assert [s.language for s in container.streams.subtitles] == ["eng", "eng"]


@pytest.mark.parametrize("suffix", ["mov", "mkv"])
def test_subtitles_of_a_part_are_cut_to_it(real, tmp_path, suffix):
    """Frames 75 to 149 of 25 a second: 3 s to 6 s, amid the first title and the second."""
    source, target = real("video/nasa_13013.mp4"), str(tmp_path / f"out.{suffix}")
    _copy(source, target, 75, 150)
    first, second = _titles(target)
    assert first[:2] == pytest.approx((0, 1.26), abs=1e-3)
    assert second[:2] == pytest.approx((1.26, 3), abs=1e-3)
    assert (first[2], second[2]) == (_titles(source)[0][2], _titles(source)[1][2])


def test_subtitles_from_matroska_come_back_in_mov(real, tmp_path):
    source, middle, target = (
        real("video/nasa_13013.mp4"),
        str(tmp_path / "a.mkv"),
        str(tmp_path / "b.mov"),
    )
    _copy(source, middle)
    _copy(middle, target)
    for before, after in zip(_titles(source), _titles(target), strict=True):
        assert after == pytest.approx(before, abs=2e-3)


def test_what_a_container_has_no_place_for_is_told(real, tmp_path, caplog):
    _copy(real("video/nasa_13013.mp4"), str(tmp_path / "out.avi"), 0, 2)
    assert "avi cannot hold mov_text subtitles, left out" in caplog.text
