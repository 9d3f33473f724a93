"""Sound goes through untouched and in time."""

import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vidstyle.errors import UsageError
from vidstyle.media.video.companions import check_sound
from vidstyle.media.video.reader import open_clip
from vidstyle.media.video.span import Span
from vidstyle.media.video.writer import open_writer


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
    span = Span(
        frames[0].time if start else None,
        None if stop is None else frames[-1].time + 1 / reader.info.rate,
    )
    with open_writer(target, reader.info, source=source, span=span) as writer:
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
        # What an edit list hides, for the decoder to start on.
        lead = [time for time, _ in after if time < 0]
        assert len(lead) <= 2
        assert after[len(lead) :] == expected
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
    assert "mov cannot hold opus sound as it is, encoded as AAC instead" in caplog.text
    assert _onsets(target) == pytest.approx(_onsets(source), abs=0.005)
    _copy(source, target, 20, 45)
    assert _onsets(target) == pytest.approx([0.7], abs=0.02)


def _recording(path: Path, *, start: int = 0, audio_late: int = 0, empty: bool = False) -> bytes:
    """A second of MPEG-2 from ``start`` on, whose sound's times start ``audio_late`` samples later;
    with a second track of which there is nothing, if it is to be ``empty``."""
    with av.open(str(path), "w", format="mpegts") as container:
        video = container.add_stream("mpeg2video", rate=25, width=64, height=64)
        audio = container.add_stream("mp2", rate=48000, layout="mono")
        if empty:
            container.add_stream("mp2", rate=48000, layout="mono")
        for number in range(25):
            picture = av.VideoFrame(64, 64, "yuv420p")
            picture.pts, picture.time_base = 25 * start + number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 48000), np.int16), "s16", "mono")
        frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
        frame.pts = 48000 * start + audio_late
        container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path.read_bytes()


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("late", [-4800, 0, 4800])
def test_a_recordings_clock_starts_again_at_zero(tmp_path, suffix, late):
    """A broadcast's shows hours."""
    source, target = str(tmp_path / "in.ts"), str(tmp_path / f"out{suffix}")
    _recording(Path(source), start=36000, audio_late=late)
    _copy(source, target)

    def starts(path: str) -> tuple[Fraction, Fraction]:
        return next(open_clip(path).frames()).time, _packets(path)[0][0][0]

    (picture, sound), before = starts(target), starts(source)
    slack = Fraction(1, 1000) if suffix == ".mkv" else Fraction(1, 48000)
    assert min(picture, sound) == 0
    assert abs(picture - sound - (before[0] - before[1])) <= slack


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".mxf"])
def test_a_track_of_which_there_is_nothing_is_left_out(tmp_path, caplog, suffix):
    source, target = str(tmp_path / "in.ts"), str(tmp_path / f"out{suffix}")
    _recording(Path(source), empty=True)
    check_sound(source, target)
    if suffix != ".mxf":  # holds no picture as small
        _copy(source, target)
        assert "in.ts: its audio stream 2 is empty or has no decoder, left out" in caplog.text
        assert len(_packets(target)) == 1


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".avi"])
def test_times_that_run_backwards_are_put_in_order(tmp_path, caplog, suffix):
    """Of recordings that were joined byte by byte."""
    part = tmp_path / "part.ts"
    source, target = tmp_path / "in.ts", tmp_path / f"out{suffix}"
    source.write_bytes(_recording(part, audio_late=48000) + _recording(part, audio_late=0))
    _copy(str(source), str(target))
    assert "in.ts: audio timestamps run backwards; put in order" in caplog.text
    times = [time for time, _ in _packets(str(target))[0]]
    assert times == sorted(times)
    assert len(times) > 75


def test_clips_without_sound_and_other_streams_are_no_trouble(real, tmp_path, caplog):
    caplog.set_level("INFO")
    for name in ("video_90.mov", "smpte-2997.mp4"):
        target = str(tmp_path / "out.mkv")
        _copy(real(f"video/{name}"), target, 0, 3)
        assert len(list(open_clip(target).frames())) == 3


def _tone(rate: int, seconds: float, channels: int) -> np.ndarray:
    """Samples (channels, n) of which no two neighbourhoods are alike."""
    noise = np.random.default_rng(rate).integers(-9000, 9000, (channels, int(rate * seconds)))
    return noise.astype(np.int16)


def _three_tracks(path: str, codec: str) -> None:
    """Two seconds at 23.976 frames/s with three tracks of different rates, the last one late."""
    rate = Fraction(24000, 1001)
    with av.open(path, "w", options={"movie_timescale": "48000"}) as container:
        video = container.add_stream("libx264", rate=rate, width=64, height=64)
        video.time_base = video.codec_context.time_base = Fraction(1, 24000)
        tracks = [
            # AAC's noise substitution would be random, another time.
            container.add_stream(
                codec, rate=hertz, layout=layout, options={"aac_pns": "0"} if codec == "aac" else {}
            )
            for hertz, layout in ((48000, "stereo"), (24000, "mono"), (48000, "mono"))
        ]
        for track, language in zip(tracks, ("eng", "fra", "jpn"), strict=True):
            track.metadata["language"] = language
            track.metadata["title"] = f"Mix {language}"
        for i in range(48):
            picture = av.VideoFrame(64, 64, "yuv420p")
            picture.pts, picture.time_base = 1001 * i, video.time_base
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for number, track in enumerate(tracks):
            channels = track.layout.nb_channels
            samples = _tone(track.rate + number, 2, channels)
            packed = samples.T.reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(packed, "s16", track.layout.name)
            frame.sample_rate, frame.time_base = track.rate, Fraction(1, track.rate)
            frame.pts = 777 if number == 2 else 0
            container.mux(track.encode(frame))
            container.mux(track.encode(None))


def _sound(path: str, number: int) -> tuple[int, np.ndarray]:
    """The sample that a track starts at, counted from the clip's zero, and (channels, n)."""
    with av.open(path) as container:
        stream = container.streams.audio[number]
        frames = list(container.decode(stream))
        start = round(frames[0].pts * frames[0].time_base * stream.rate)
        channels = stream.layout.nb_channels
        planes = [
            f.to_ndarray() if f.format.is_planar else f.to_ndarray().reshape(-1, channels).T
            for f in frames
        ]
    return start, np.concatenate(planes, axis=1)


@pytest.mark.parametrize(
    ("codec", "source", "target"),
    [
        ("pcm_s16le", "in.mov", "out.mov"),
        ("aac", "in.mp4", "out.mp4"),
        ("aac", "in.mov", "out.mov"),
        ("pcm_s16le", "in.mov", "out.avi"),
        ("pcm_s16le", "in.mov", "out.mkv"),
    ],
)
def test_three_tracks_are_cut_at_the_same_sample(tmp_path, codec, source, target):
    """Frames 10 to 39 of a clip at 23.976: their first is sample 20020 of 48000 a second."""
    before, after = str(tmp_path / source), str(tmp_path / target)
    _three_tracks(before, codec)
    _copy(before, after, 10, 40)
    with av.open(after) as container:
        assert [s.language for s in container.streams.audio] == (
            [None] * 3 if target.endswith("avi") else ["eng", "fra", "jpn"]
        )
    for number, rate in enumerate((48000, 24000, 48000)):
        started, samples = _sound(before, number)
        start, cut = _sound(after, number)
        offset = 10 * 1001 * rate // 24000
        if target.endswith(".mkv"):
            # Whole packets, and times in milliseconds.
            assert 0 <= start <= 1024
            first = min(range(-24, 25), key=lambda d: np.abs(
                samples[:, start + offset - started + d :][:, :99].astype(int) - cut[:, :99]
            ).sum())  # fmt: skip
            assert abs(first) <= rate / 2000
            start += first
        else:
            assert start == 0
        length = min(cut.shape[1], rate)
        expected = samples[:, start + offset - started :][:, :length]
        if codec == "aac":
            assert np.abs(cut[:, :length] - expected).max() < 1e-6
        else:
            assert np.array_equal(cut[:, :length], expected)


@pytest.mark.parametrize("target", ["out.mov", "out.mp4", "out.avi"])
def test_sound_that_starts_late_stays_late_to_the_sample(tmp_path, target):
    before, after = str(tmp_path / "in.mov"), str(tmp_path / target)
    _three_tracks(before, "pcm_s16le")
    _copy(before, after)
    start, samples = _sound(after, 2)
    silence = np.zeros((1, 777), np.int16) if target.endswith("avi") else samples[:, :0]
    assert start + silence.shape[1] == 777 == _sound(before, 2)[0]
    expected = np.concatenate([silence, _sound(before, 2)[1]], axis=1)
    assert np.array_equal(samples, expected)


def _with_pcm(path: str, width: int, channels: int, encoder: str | None = None) -> None:
    """A few frames with half a second of PCM of ``width`` bytes, whose layout is not told, or of
    what ``encoder`` makes of it."""
    rate = 48000
    noise = np.random.default_rng(0).integers(0, 256, rate // 2 * channels * width, np.uint8)
    plain = io.BytesIO()
    with wave.open(plain, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(width)
        written.setframerate(rate)
        written.writeframes(noise.tobytes())
    plain.seek(0)
    with av.open(plain) as sound, av.open(path, "w") as container:
        video = container.add_stream("mjpeg", rate=25, width=64, height=64)
        video.pix_fmt = "yuvj420p"
        (heard,) = sound.streams.audio
        if encoder is None:
            audio = container.add_stream_from_template(heard)
        else:
            audio = container.add_stream(encoder, rate=rate, layout="stereo")
        for number in range(12):
            picture = av.VideoFrame(64, 64, "yuvj420p")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for packet in sound.demux(heard):
            if encoder is not None:
                for frame in packet.decode():
                    container.mux(audio.encode(frame))
            elif packet.size:
                packet.stream = audio
                container.mux(packet)
        if encoder is not None:
            container.mux(audio.encode(None))


def _levels(path: str) -> np.ndarray:
    """Samples (channels, n) in [-1, 1], however they are stored."""
    samples = _sound(path, 0)[1]
    if samples.dtype == np.uint8:
        return (samples.astype(float) - 128) / 128
    return samples / (float(np.iinfo(samples.dtype).max) + 1)


@pytest.mark.parametrize("target", ["out.mp4", "out.mov", "out.mkv", "out.avi"])
@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("kind", ["in.mkv", "in.avi"])
def test_pcm_keeps_its_samples_in_any_container(tmp_path, kind, width, channels, target):
    source, result = str(tmp_path / kind), str(tmp_path / target)
    _with_pcm(source, width, channels)
    _copy(source, result)
    assert np.array_equal(_levels(result), _levels(source))
    with av.open(result) as container:
        codec = container.streams.audio[0].codec_context.name
    if target == "out.mp4":
        # Players before FFmpeg 6 read only PCM of 16 bits there.
        assert codec == ("pcm_s16le" if width == 2 else "alac")


@pytest.mark.parametrize("target", ["out.mp4", "out.mov", "out.mkv"])
@pytest.mark.parametrize("encoder", ["adpcm_ima_wav", "adpcm_ms"])
def test_adpcm_becomes_aac(tmp_path, caplog, encoder, target):
    source, result = str(tmp_path / "in.avi"), str(tmp_path / target)
    _with_pcm(source, 2, 2, encoder)
    _copy(source, result)
    assert f"cannot hold {encoder} sound as it is, encoded as AAC instead" in caplog.text
    before, after = (_sound(path, 0)[1].astype(float) for path in (source, result))
    assert after.shape[0] == 2
    assert abs(after.shape[1] - before.shape[1]) < 4096
    assert np.std(after) == pytest.approx(np.std(before / 32768), rel=0.2)


def test_what_goes_into_no_container_is_refused_before_work(tmp_path):
    source = str(tmp_path / "in.mkv")
    _with_pcm(source, 3, 9)
    with pytest.raises(UsageError, match=r"pcm_s24le sound of 9 channels does not go into mp4"):
        check_sound(source, str(tmp_path / "out.mp4"))
    check_sound(source, str(tmp_path / "out.mkv"))


@pytest.mark.parametrize(
    ("rate", "first", "seconds"), [(48000, 0, 1), (48000, 12000, 1), (44100, 0, 2), (48000, 0, 3)]
)
def test_mxf_has_sound_throughout(tmp_path, rate, first, seconds, caplog):
    """Two seconds of picture: FFmpeg's MXF ends with the shortest stream, and takes 48 kHz only."""
    before, after = str(tmp_path / "in.mov"), str(tmp_path / "out.mxf")
    noise = np.random.default_rng(0).integers(1, 9000, (1, seconds * rate)).astype(np.int16)
    with av.open(before, "w", options={"movie_timescale": "48000"}) as container:
        video = container.add_stream("mjpeg", rate=24, width=256, height=144)
        video.pix_fmt = "yuvj420p"
        audio = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        for number in range(48):
            picture = av.VideoFrame(256, 144, "yuvj420p")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(noise, "s16", "mono")
        sound.sample_rate, sound.time_base, sound.pts = rate, Fraction(1, rate), first
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    _copy(before, after)
    result = open_clip(after)
    assert (result.info.codec, result.info.bits, result.info.rate) == ("dnxhd", 10, 24)
    assert len(list(result.frames())) == 48
    start, samples = _sound(after, 0)
    assert start == 0
    assert samples.shape[1] == 96000
    assert ("goes on for 1.0 s after the picture" in caplog.text) == (seconds == 3)
    if rate == 48000:
        expected = np.zeros(96000, np.int16)
        heard = noise[0, : 96000 - first]
        expected[first : first + len(heard)] = heard
        assert np.array_equal(samples[0], expected)
    else:
        assert samples[0, -4000:].std() > 1000


def test_sound_that_starts_after_silence_was_written_into_mxf_stays_late(tmp_path):
    """Six seconds into the clip: silence has been written by then, so that nothing waits for it."""
    before, after = str(tmp_path / "in.mov"), str(tmp_path / "out.mxf")
    noise = np.random.default_rng(0).integers(1, 9000, (1, 48000)).astype(np.int16)
    with av.open(before, "w", options={"movie_timescale": "48000"}) as container:
        video = container.add_stream("mjpeg", rate=24, width=256, height=144)
        video.pix_fmt = "yuvj420p"
        audio = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number in range(24 * 8):
            picture = av.VideoFrame(256, 144, "yuvj420p")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(noise, "s16", "mono")
        sound.sample_rate, sound.time_base, sound.pts = 48000, Fraction(1, 48000), 6 * 48000
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    _copy(before, after)
    expected = np.concatenate([np.zeros(6 * 48000), noise[0], np.zeros(48000)])
    assert np.array_equal(_sound(after, 0)[1][0], expected)


@pytest.mark.parametrize("suffix", [".avi", ".mxf"])
def test_a_gap_in_the_sound_stays_one(tmp_path, suffix):
    before, after = str(tmp_path / "in.mkv"), str(tmp_path / f"out{suffix}")
    noise = np.random.default_rng(0).integers(1, 9000, (1, 48000)).astype(np.int16)
    with av.open(before, "w") as container:
        video = container.add_stream("mjpeg", rate=25, width=256, height=144)
        video.pix_fmt = "yuvj420p"
        audio = container.add_stream("pcm_s16le", rate=48000, layout="mono")
        for number in range(75):
            picture = av.VideoFrame(256, 144, "yuvj420p")
            picture.pts = number
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for second in (0, 2):
            sound = av.AudioFrame.from_ndarray(noise, "s16", "mono")
            sound.sample_rate, sound.time_base = 48000, Fraction(1, 48000)
            sound.pts = second * 48000
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    _copy(before, after)
    expected = np.concatenate([noise[0], np.zeros(48000), noise[0]])
    assert np.array_equal(_sound(after, 0)[1][0], expected)


def test_silence_is_of_the_format_that_the_decoder_gives(tmp_path):
    """FFmpeg's probe has another decoder for MP2, which gives another."""
    source, target = str(tmp_path / "in.ts"), str(tmp_path / "out.avi")
    _recording(Path(source), audio_late=24000)
    _copy(source, target)
    assert _sound(target, 0)[1].shape[1] > 65000
