"""Tuning to a shot: it sees the object, neighbouring frames, and writes a model that renders."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch

from vidstyle.errors import MediaError, ObjectNotFoundError
from vidstyle.runtime.progress import Silence
from vidstyle.style.build import build_stylizer
from vidstyle.train.config import RunConfig, StyleConfig, TrainConfig
from vidstyle.train.record import read_curves
from vidstyle.train.shot import tune_shot

CONFIG = TrainConfig(
    perceptual="micro",
    validation=2,
    style=StyleConfig(steps=3, side=64, rate=2e-3, warm_up=0),
    run=RunConfig(device="cpu", workers=0),
)


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames in which a photograph moves to the left, and mattes of its middle."""
    folder = tmp_path_factory.mktemp("shot")
    wide = cv2.resize(skimage.data.coffee(), (240, 120), interpolation=cv2.INTER_AREA)
    (folder / "mattes").mkdir()
    for number in range(8):
        frame = wide[:, 4 * number : 4 * number + 160]
        cv2.imwrite(str(folder / f"{number:03d}.png"), frame[..., ::-1])
        matte = np.zeros((120, 160), np.uint8)
        matte[30:90, 40:120] = 255
        cv2.imwrite(str(folder / "mattes" / f"{number:03d}.png"), matte)
    cv2.imwrite(str(folder / "mattes" / "style.jpg"), skimage.data.rocket()[..., ::-1])
    return folder


def tune(shot: Path, target: Path, object: str | None) -> None:
    tune_shot(
        str(shot / "%03d.png"),
        object,
        str(shot / "mattes" / "style.jpg"),
        model="micro",
        minutes=1.0,
        config=CONFIG,
        work=target.with_name("work"),
        output=target,
        progress=Silence(),
    )


def test_a_tuned_model_renders_and_differs(shot: Path, tmp_path: Path) -> None:
    tune(shot, tmp_path / "hero", f"matte:{shot}/mattes/%03d.png")
    curves = read_curves(tmp_path / "work" / "shot")
    assert len(curves) == 3
    assert {"masked_gram", "content", "temporal"} <= curves[0].keys()
    tuned, plain = (
        build_stylizer(str(model), torch.device("cpu")) for model in (tmp_path / "hero", "micro")
    )
    same = [
        bool((a - b).abs().max() < 1e-3)
        for a, b in zip(
            tuned.network.encoder.parameters(), plain.network.encoder.parameters(), strict=True
        )
    ]
    assert all(same)  # the encoder stays
    moved = [
        float((a - b).abs().max())
        for a, b in zip(
            tuned.network.fine.parameters(), plain.network.fine.parameters(), strict=True
        )
    ]
    assert max(moved) > 1e-4
    assert "tuned to one shot" in (tmp_path / "hero" / "README.md").read_text()


def test_an_object_that_is_never_there(shot: Path, tmp_path: Path) -> None:
    empty = tmp_path / "mattes"
    empty.mkdir()
    for number in range(8):
        cv2.imwrite(str(empty / f"{number:03d}.png"), np.zeros((120, 160), np.uint8))
    with pytest.raises((ObjectNotFoundError, MediaError)):
        tune(shot, tmp_path / "hero", f"matte:{empty}/%03d.png")
    assert not (tmp_path / "hero").exists()


def test_a_picture_is_no_shot(shot: Path, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no shot"):
        tune_shot(
            str(shot / "000.png"),
            None,
            str(shot / "mattes" / "style.jpg"),
            model="micro",
            minutes=1.0,
            config=replace(CONFIG),
            work=tmp_path / "work",
            output=tmp_path / "hero",
            progress=Silence(),
        )
