"""Frames as they come."""

import os
import time

import pytest

from vidstyle.errors import MediaError
from vidstyle.live.source import LiveSource, open_source


def test_a_file_waits_for_who_takes_its_frames(shot) -> None:
    with LiveSource(str(shot.clip)) as source:
        assert source.rate == pytest.approx(25, rel=0.2)
        frames = [arrival.frame for arrival in source.arrivals()]
    assert [frame.index for frame in frames] == list(range(16))
    assert {frame.size for frame in frames} == {shot.size}
    assert source.dropped == 0


def test_once_live_it_plays_on_and_drops_what_nobody_took(shot) -> None:
    with LiveSource(str(shot.clip)) as source:
        arrivals = source.arrivals()
        next(arrivals)
        source.go_live()
        taken = []
        for arrival in arrivals:
            taken.append(arrival.frame.index)
            time.sleep(0.2)
    assert taken == sorted(set(taken))
    assert len(taken) <= 6
    assert source.dropped > 0
    assert source.before >= 1
    assert source.before + len(taken) + source.dropped == 16


def test_a_pipe_among_the_devices_is_no_camera() -> None:
    reading, writing = os.pipe()
    try:
        with pytest.raises(MediaError, match="a pipe or device, which is read once"):
            open_source(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        os.close(writing)


def test_times_rise(shot) -> None:
    with LiveSource(str(shot.clip)) as source:
        times = [arrival.frame.time for arrival in source.arrivals()]
    assert times == sorted(times)


def test_leaving_early_ends_the_thread(shot) -> None:
    with LiveSource(str(shot.clip)) as source:
        next(source.arrivals())
    assert not source._thread.is_alive()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.mp4", "nowhere.mp4: no such file"),
        ("977", "977: no camera responds"),
        ("rtmp://127.0.0.1:9/live", "no stream responds"),
    ],
)
def test_nothing_there(name: str, message: str) -> None:
    with pytest.raises(MediaError, match=message), LiveSource(name):
        pass
