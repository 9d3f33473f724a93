"""The example that a newcomer runs first, on a shorter shot."""

import sys
from pathlib import Path

import av
import first_render
import make_shot
import numpy as np
import pytest

from vidstyle.models import weights


@pytest.mark.weights
def test_the_astronaut_is_found_and_restyled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if weights.find("yolov3-tiny") is None:
        pytest.skip("no detector; run `vidstyle models fetch`")
    make_shot.write_shot(tmp_path / "shot.mp4", count=10)
    monkeypatch.setattr(sys, "argv", ["first_render.py", str(tmp_path)])
    first_render.main()
    assert f"The result is {tmp_path / 'styled.mp4'}" in capfd.readouterr().out
    plates, results, mattes = (
        [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
        for container in map(
            av.open, (tmp_path / "shot.mp4", tmp_path / "styled.mp4", tmp_path / "matte.mkv")
        )
    )
    assert len(plates) == len(results) == len(mattes) == 10
    inside, outside = mattes[5] > 250, mattes[5] == 0
    assert 0.05 < inside.mean() < 0.6
    change = np.abs(results[5] - plates[5])
    assert change[inside].mean() > 4 * change[outside].mean()
