"""The example shot is what the documentation says, and the same every time."""

import hashlib
import itertools
import runpy
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "examples/make_shot.py"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of the shot and of its truth."""
    import make_shot

    folder = tmp_path_factory.mktemp("shot")
    make_shot.write_shot(folder / "shot.mp4", count=6)
    make_shot.write_truth(folder / "truth", count=3)
    return folder


def test_the_shot_has_the_stated_length() -> None:
    import make_shot

    assert make_shot.FRAMES / make_shot.RATE == 3.5


def test_the_file_has_the_stated_frames_colours_and_sound(short: Path) -> None:
    with av.open(short / "shot.mp4") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.width, video.height, video.average_rate) == (640, 360, 24)
        assert video.codec_context.name == "h264"
        assert video.codec_context.colorspace == 1  # BT.709
        assert (audio.codec_context.name, audio.rate, audio.channels) == ("aac", 48_000, 2)
        assert len(list(container.decode(video))) == 6
        container.seek(0)
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(audio)], axis=1)
    assert samples.shape[1] / 48_000 == pytest.approx(6 / 24, abs=0.05)
    assert 0.01 < np.abs(samples).max() < 0.9


def test_the_colours_survive_the_file(short: Path) -> None:
    import make_shot

    with av.open(short / "shot.mp4") as container:
        decoded = next(container.decode(video=0)).to_ndarray(
            format="rgb24", src_colorspace="ITU709", dst_color_range="JPEG"
        )
    original = next(make_shot.frames())
    difference = decoded.astype(int) - original
    assert np.abs(difference.mean(axis=(0, 1))).max() < 2
    # The orange suit would be some ten levels off under BT.601's matrix.
    suit = make_shot.scene().mattes(0)[make_shot.ASTRONAUT] > 0.99
    assert np.abs(difference[suit].mean(axis=0)).max() < 2.5


def test_the_truth_is_complete(short: Path) -> None:
    import make_shot

    names = sorted(path.name for path in (short / "truth").iterdir())
    assert len(names) == 3 + 4 * 2
    flow, shown = make_shot.scene().flow(2, 1)
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(short / "truth/backward.0002.flo")), flow)
    grey = cv2.imread(str(short / "truth/backward-shown.0002.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_allclose(grey / 255, shown, atol=0.003)


def test_the_shot_is_the_same_every_time() -> None:
    import make_shot

    first, second = (
        [hashlib.sha256(frame).hexdigest() for frame in itertools.islice(make_shot.frames(), 2)]
        for _ in range(2)
    )
    assert first == second
    assert first[0] != first[1]


def test_it_runs_as_a_script(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["make_shot.py", "--help"])
    with pytest.raises(SystemExit) as done:
        runpy.run_path(str(SCRIPT), run_name="__main__")
    assert done.value.code == 0
    assert "--truth" in capsys.readouterr().out
