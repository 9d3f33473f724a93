"""The nodes of examples/comfyui in a stand-in for ComfyUI (see conftest.py, which says what it is),
by the workflows that lie beside them."""

import shutil
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

import vidstyle

WORKFLOWS = Path(__file__).parents[3] / "examples/comfyui/workflows"
MASKS = (torch.zeros(1, 96, 160), torch.zeros(96, 160))


@pytest.fixture
def changes(
    comfy: Any,
    shot: Any,
    tiny_model: Path,
    style_picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[str, Any]:
    """What a user sets in either workflow. The subject is too small to be found by name, and no
    fetched weights are needed to cut it out."""
    for place in ("VIDSTYLE_MODEL_PATH", "XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.setenv(place, str(tmp_path / "nothing"))
    shutil.copy(shot.clip, comfy.folder / "shot.mp4")
    shutil.copy(style_picture, comfy.folder / "art.png")
    return {
        "VidstyleLoadStyleModel": {"model": str(tiny_model), "device": "cpu"},
        "VidstyleFindObject": {"object": "", "box": "20, 10, 80, 96"},
    }


def plates(comfy: Any) -> torch.Tensor:
    return comfy.nodes["GetVideoComponents"]().get(comfy.folder / "shot.mp4")[0]


def around(mask: torch.Tensor) -> Any:
    """Where the feathered masks (N, H, W) reach."""
    return np.stack([cv2.dilate(m, np.ones((9, 9))) for m in mask.numpy()]) > 0


def test_the_workflow_restyles_an_object(comfy: Any, changes: dict[str, Any]) -> None:
    outputs = comfy.run(WORKFLOWS / "restyle_by_name.json", changes)
    ((styled, rate),) = comfy.saved
    mask, frames = outputs["5"][0], plates(comfy)
    assert (rate, styled.shape) == (25, frames.shape)
    assert torch.equal(outputs["6"][1], mask)
    inside = around(mask)
    assert 0.02 < inside.mean() < 0.5
    assert torch.equal(styled[~inside], frames[~inside])
    assert (styled - frames).abs()[mask > 0.9].mean() > 0.02
    done = [value / total for value, total in comfy.progress]
    assert done[-1] == 1
    assert all(0 <= value <= 1 for value in done)


def test_the_workflow_carries_a_painted_key(comfy: Any, changes: dict[str, Any]) -> None:
    frames = plates(comfy)
    painted = (255 * (1 - frames[0])).round().byte().numpy()[..., ::-1]
    cv2.imwrite(str(comfy.folder / "painted.png"), painted)
    outputs = comfy.run(WORKFLOWS / "painted_keys.json", changes)
    ((styled, _),) = comfy.saved
    mask = outputs["6"][1]
    inside = around(mask)
    assert torch.equal(styled[~inside], frames[~inside])
    # Where no feather reaches it is the painting, and goes on being that, not the plate.
    within = ~torch.from_numpy(around(1 - mask))
    assert torch.allclose(styled[0][within[0]], 1 - frames[0][within[0]], atol=0.01)
    assert (styled[5][within[5]] - (1 - frames[5][within[5]])).abs().mean() < 0.05


def test_a_run_ends_when_somebody_presses_stop(comfy: Any, changes: dict[str, Any]) -> None:
    def press() -> None:
        comfy.interrupted = True

    comfy.on_progress = press
    with pytest.raises(comfy.Interrupted):
        comfy.run(WORKFLOWS / "restyle_by_name.json", changes)
    assert len(comfy.progress) == 1
    assert not comfy.saved


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(3, 96, 160, 3, generator=torch.manual_seed(0))


LOOK = {"strength": 1.0, "detail": 0.0, "feather": 0.0, "steady": False}


def test_masks_as_segmenters_give_them(comfy: Any, tiny_model: Path, images: torch.Tensor) -> None:
    """One for each frame, one for all of them, with or without the batch's axis."""
    (model,) = comfy.nodes["VidstyleLoadStyleModel"]().load(str(tiny_model), "cpu")
    mask = torch.zeros(3, 96, 160)
    mask[:, 20:60, 40:100] = 1
    node = comfy.nodes["VidstyleRestyle"]()
    whole, ones = node.restyle(model, images, images[:1], 1.0, **LOOK)
    assert torch.equal(ones, torch.ones(3, 96, 160))
    for given in (mask, mask[:1], mask[0]):
        styled, out = node.restyle(model, images, images[:1], 1.0, **LOOK, mask=given)
        assert torch.equal(out, mask)
        assert torch.equal(styled[mask == 0], images[mask == 0])
        assert not torch.equal(styled[mask == 1], images[mask == 1])
    with pytest.raises(vidstyle.UsageError, match=r"masks of shape \(3, 64, 64\)"):
        node.restyle(model, images, images[:1], 1.0, **LOOK, mask=torch.zeros(1, 64, 64))
    with pytest.raises(vidstyle.UsageError, match="style: 3 pictures"):
        node.restyle(model, images, images, 1.0, **LOOK)
    four = torch.cat([images, images[..., :1]], -1)
    styled, _ = node.restyle(model, four, images[:1], 1.0, **LOOK)
    assert torch.equal(styled[..., :3], whole)
    assert torch.equal(styled[..., 3], four[..., 3])


def test_prompts_reach_find(
    comfy: Any, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def find(frames: torch.Tensor, spec: str, **_: Any) -> Any:
        assert frames.shape == (3, 3, 96, 160)
        asked.append(spec)
        return np.zeros((3, 96, 160), np.uint8)

    monkeypatch.setattr(vidstyle, "find", find)
    node = comfy.nodes["VidstyleFindObject"]()
    node.find(images, " person#2 ", "", "10,20; -30,40", 2)
    node.find(images, "", "1, 2, 30, 40", "", 1)
    for mask in MASKS:
        node.find(images, "person", "", "", 1, mask)
    assert asked[:2] == ["person#2+point:10,20@2+-point:30,40@2", "box:1,2,30,40@1"]
    assert all(spec.startswith("person+mask:") and spec.endswith("@1") for spec in asked[2:])
    with pytest.raises(vidstyle.UsageError, match="no object"):
        node.find(images, "", "", "", 0)
    with pytest.raises(vidstyle.UsageError, match="2 masks"):
        node.find(images, "", "", "", 0, torch.zeros(2, 96, 160))


@pytest.mark.parametrize(
    ("key_frames", "outlines", "said"),
    [
        ("0", None, "2 keys need as many"),
        ("1, 1", None, "2 keys need as many different"),
        ("0, x", None, "give numbers from 0"),
        ("0, 1", torch.ones(1, 64, 64), "outlines of shape"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(
    key_frames: str, outlines: Any, said: str, comfy: Any, images: torch.Tensor
) -> None:
    node = comfy.nodes["VidstyleRestyleWithPaintedKeys"]()
    with pytest.raises(vidstyle.UsageError, match=said):
        node.restyle(None, images, images[:2], key_frames, **LOOK, outlines=outlines)


def test_an_outline_is_what_is_restyled(comfy: Any, tiny_model: Path, images: torch.Tensor) -> None:
    (model,) = comfy.nodes["VidstyleLoadStyleModel"]().load(str(tiny_model), "default")
    outline = torch.zeros(1, 96, 160)
    outline[:, 20:70, 30:100] = 1
    still = images[:1].expand(3, -1, -1, -1)
    styled, mask = comfy.nodes["VidstyleRestyleWithPaintedKeys"]().restyle(
        model, still, 1 - images[:1], "0", **LOOK, outlines=outline
    )
    assert torch.equal(mask[0], outline[0])
    assert torch.equal(styled[0][outline[0] == 0], images[0][outline[0] == 0])
    assert torch.allclose(styled[0][outline[0] == 1], 1 - images[0][outline[0] == 1], atol=1e-3)
