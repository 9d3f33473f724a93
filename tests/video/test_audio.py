"""Sound goes through untouched and in time."""

from fractions import Fraction

import av
import numpy as np
import pytest

from vidstyle.video.reader import open_clip
from vidstyle.video.writer import open_writer


def _packets(path: str) -> list[list[tuple[Fraction, bytes]]]:
    """Time and bytes of each packet, stream by stream."""
    with av.open(path) as container:
        streams = container.streams.audio
        found: dict[int, list[tuple[Fraction, bytes]]] = {stream.index: [] for stream in streams}
        for packet in container.demux(streams) if streams else ():
            if packet.size:
                found[packet.stream.index].append((packet.pts * packet.time_base, bytes(packet)))
    return list(found.values())


def _copy(source: str, target: str, start: int = 0, stop: int | None = None) -> list[Fraction]:
    """Write the frames of a part, with its sound; their times in the source."""
    reader = open_clip(source)
    frames = list(reader.frames(start, stop))
    span = None
    if start or stop is not None:
        span = frames[0].time, frames[-1].time + 1 / reader.info.rate
    with open_writer(target, reader.info, source=source, audio_range=span) as writer:
        for frame in frames:
            writer.write(frame)
    return [frame.time for frame in frames]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_every_packet_of_every_stream_is_copied(real, tmp_path, suffix):
    source, target = real("video/nasa_13013.mp4"), str(tmp_path / f"out{suffix}")
    times = _copy(source, target)
    slack = Fraction(1, 1000) if suffix == ".mkv" else 0
    for before, after in zip(_packets(source), _packets(target), strict=True):
        assert [data for _, data in after] == [data for _, data in before]
        assert max(abs(a - b) for (a, _), (b, _) in zip(before, after, strict=True)) <= slack
    written = [frame.time for frame in open_clip(target).frames()]
    assert max(abs(a - b) for a, b in zip(times, written, strict=True)) <= slack


def test_a_part_takes_its_own_sound_with_it(real, tmp_path):
    source, target = real("video/nasa_13013.mp4"), str(tmp_path / "out.mp4")
    times = _copy(source, target, 100, 150)
    start, end = times[0], times[-1] + Fraction(1, 25)
    written = [frame.time for frame in open_clip(target).frames()]
    assert written == [time - start for time in times]
    for before, after in zip(_packets(source), _packets(target), strict=True):
        expected = [(time - start, data) for time, data in before if start <= time < end]
        assert after == expected
        assert len(expected) > 10


def _beeps(path: str) -> None:
    """Two seconds of H.264 with Opus that beeps at 0.5 s and 1.5 s."""
    rate = 48000
    seconds = np.arange(2 * rate) / rate
    wave = np.sin(2 * np.pi * 1000 * seconds) * ((seconds % 1 >= 0.5) & (seconds % 1 < 0.6))
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=25, width=64, height=64)
        audio = container.add_stream("libopus", rate=rate, layout="mono")
        for _ in range(50):
            container.mux(video.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray((wave[None] * 20000).astype(np.int16), "s16", "mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))


def _onsets(path: str) -> list[float]:
    """When a beep starts, in seconds."""
    with av.open(path) as container:
        frames = list(container.decode(audio=0))
    loud = np.concatenate([np.abs(frame.to_ndarray()).max(0) > 0.2 for frame in frames])
    time = np.concatenate(
        [float(f.pts * f.time_base) + np.arange(f.samples) / f.sample_rate for f in frames]
    )
    starts = time[loud]
    return [float(t) for t in starts[np.diff(starts, prepend=-1) > 0.2]]


def test_sound_that_the_container_cannot_hold_is_encoded_again_in_time(tmp_path, caplog):
    caplog.set_level("INFO")
    source, target = str(tmp_path / "in.mkv"), str(tmp_path / "out.mov")
    _beeps(source)
    assert _onsets(source) == pytest.approx([0.5, 1.5], abs=0.01)
    _copy(source, target)
    assert "mov cannot hold opus sound, encoded as AAC instead" in caplog.text
    assert _onsets(target) == pytest.approx(_onsets(source), abs=0.005)
    _copy(source, target, 20, 45)
    assert _onsets(target) == pytest.approx([0.7], abs=0.02)


def test_clips_without_sound_and_other_streams_are_no_trouble(real, tmp_path, caplog):
    caplog.set_level("INFO")
    for name in ("video_90.mov", "01_dog.mp4"):
        target = str(tmp_path / "out.mkv")
        _copy(real(f"video/{name}"), target, 0, 3)
        assert len(list(open_clip(target).frames())) == 3
    assert "data streams are not carried over" in caplog.text


def test_metadata_is_carried(real, tmp_path):
    target = str(tmp_path / "out.mp4")
    _copy(real("video/01_dog.mp4"), target, 0, 3)
    with av.open(target) as container:
        assert container.metadata["title"] == "My Movie 6"


def test_chapters_are_carried_with_the_whole(tmp_path):
    source, target = str(tmp_path / "in.mkv"), str(tmp_path / "out.mp4")
    millisecond = Fraction(1, 1000)
    with av.open(source, "w") as container:
        stream = container.add_stream("libx264", rate=25, width=64, height=64)
        container.set_chapters(
            [
                {"id": 1, "start": 0, "end": 400, "time_base": millisecond, "metadata": {}},
                {"id": 2, "start": 400, "end": 800, "time_base": millisecond, "metadata": {}},
            ]
        )
        for _ in range(20):
            container.mux(stream.encode(av.VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    _copy(source, target)
    with av.open(target) as container:
        chapters = container.chapters()
    assert [chapter["start"] * chapter["time_base"] for chapter in chapters] == [0, Fraction(2, 5)]
