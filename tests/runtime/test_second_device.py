"""Networks on a device that is not the CPU: nothing mixes devices, no type is used that the device
lacks, half precision paints what full does, and a batch goes there and back once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray

import vidstyle
from vidstyle.media.frame import Box
from vidstyle.media.video.reader import open_clip
from vidstyle.models import weights
from vidstyle.segment.segmenters.segmenter import build_segmenter
from vidstyle.segment.segmenters.tiny_vit import TinyVit

KINDS = ("cuda", "mps")

needs_vgg19 = pytest.mark.skipif(
    weights.find("vgg19") is None, reason="run `vidstyle models fetch vgg19`"
)
needs_raft = pytest.mark.skipif(
    weights.find("raft-small") is None, reason="run `vidstyle models fetch`"
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_stand_in_is_strict(kind: str, second_device: Callable[..., Any]) -> None:
    with second_device(kind) as there:
        one = torch.ones(2, 3).to(there.device)
        assert one.device == there.device
        with pytest.raises(RuntimeError, match="and on the CPU"):
            _ = one + torch.ones(2, 3)
        with pytest.raises((RuntimeError, TypeError)):
            one.numpy()
        assert there.copies == {"up": 1}
        assert float((one * 2).sum()) == 12
        one[:, 1] = 5
        assert one.cpu().tolist() == [[1, 5, 1]] * 2
        assert there.copies == {"up": 1, "wait": 1, "down": 1}
        if kind == "mps":
            with pytest.raises(TypeError, match="float64"):
                one.double()


@pytest.fixture(scope="module")
def frames(shot: Any) -> NDArray[np.uint8]:
    return np.stack([frame.image.numpy() for frame in open_clip(str(shot.clip)).frames(0, 3)])


@pytest.fixture(scope="module")
def masks(shot: Any) -> NDArray[np.uint8]:
    return np.stack([shot.matte(index) for index in range(3)])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "depth"),
    [
        ("tiny", np.uint8),
        ("tiny", np.uint16),
        pytest.param("vgg19", np.uint8, marks=[pytest.mark.weights, needs_vgg19]),
    ],
)
def test_a_batch_is_painted_as_on_the_cpu_and_goes_there_and_back_once(
    name: str,
    kind: str,
    depth: Any,
    frames: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    tiny_model: Path,
    style_picture: Path,
    second_device: Callable[..., Any],
) -> None:
    model = str(tiny_model) if name == "tiny" else name
    plates = frames.astype(depth) * (257 if depth is np.uint16 else 1)

    def look(device: str) -> Any:
        stylizer = vidstyle.load_model(model, device=device)
        return stylizer, stylizer.fit(plates, style_picture, masks=masks, supersample=1)

    stylizer, frozen = look("cpu")
    there_before = stylizer(plates, frozen, masks=masks)
    with second_device(kind) as there:
        stylizer, frozen = look(f"{kind}:0")
        there.copies.clear()
        painted = stylizer(plates, frozen, masks=masks)
        assert there.copies == {"up": 1, "down": 1}
    off = np.abs(painted.astype(int) - there_before) / np.iinfo(depth).max
    # Half precision on CUDA; elsewhere the same sums in another order.
    assert off.max() < (0.05 if kind == "cuda" else 0.005)
    assert (painted != plates).any()


@needs_raft
@pytest.mark.weights
@pytest.mark.parametrize("kind", KINDS)
def test_motion_and_the_temporal_step_stay_there(
    kind: str,
    frames: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    tiny_model: Path,
    style_picture: Path,
    second_device: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vidstyle.motion.build._choose", lambda _: ("raft-small", "for the test"))
    before = vidstyle.load_model(str(tiny_model), device="cpu")
    frozen = before.fit(frames, style_picture, masks=masks, supersample=1)
    expected = before(frames, frozen, masks=masks, steady=True)
    with second_device(kind) as there:
        stylizer = vidstyle.load_model(str(tiny_model), device=f"{kind}:0")
        frozen = stylizer.fit(frames, style_picture, masks=masks, supersample=1)
        stylizer(frames, frozen, masks=masks, steady=True)  # loads RAFT
        there.copies.clear()
        painted = stylizer(frames, frozen, masks=masks, steady=True)
    # torchvision sends a grid of offsets at each of RAFT's twelve updates, both ways; what else
    # goes up are plates and a few numbers.
    assert there.copies["up"] <= 2 * 12 + 8
    assert (there.copies["down"], there.copies["wait"]) == (1, 0)
    assert np.abs(painted.astype(int) - expected).mean() < 1


@pytest.mark.parametrize("kind", KINDS)
def test_painted_keys_are_laid_over_what_is_painted_there(
    kind: str,
    frames: NDArray[np.uint8],
    masks: NDArray[np.uint8],
    tiny_model: Path,
    style_picture: Path,
    second_device: Callable[..., Any],
) -> None:
    def painted(device: str) -> NDArray[np.uint8]:
        model = vidstyle.load_model(str(tiny_model), device=device)
        keys = {0: 255 - frames[0]}
        look = model.fit(frames, style_picture, masks=masks, keys=keys, supersample=1)
        return model(frames, look, masks=masks)

    expected = painted("cpu")
    with second_device(kind):
        off = np.abs(painted(f"{kind}:0").astype(int) - expected)
    assert off.max() <= (13 if kind == "cuda" else 1)


@pytest.mark.skipif(weights.find("mobile-sam") is None, reason="run `vidstyle models fetch`")
@pytest.mark.weights
@pytest.mark.parametrize("kind", KINDS)
def test_mobile_sam_answers_there(kind: str, second_device: Callable[..., Any]) -> None:
    picture = cv2.resize(skimage.data.astronaut(), (256, 256))
    files, around = weights.require("mobile-sam"), [Box(60, 10, 170, 250)]
    expected = build_segmenter("mobile-sam", files, torch.device("cpu")).segment(picture, around)
    with second_device(kind) as there:
        segmenter = build_segmenter("mobile-sam", files, there.device)
        segmenter.segment(picture, around)
        there.copies.clear()
        answer = segmenter.segment(picture, around)
    # What the encoder saw is kept there; a box goes up, and three answers and their scores down.
    assert there.copies == {"up": 1, "down": 3}
    assert np.array_equal(answer > 127, expected > 127)


@pytest.mark.parametrize("kind", KINDS)
def test_mobile_sams_encoder_stays_there(kind: str, second_device: Callable[..., Any]) -> None:
    torch.manual_seed(0)
    network, picture = TinyVit().eval(), torch.randn(1, 3, 256, 256)
    with torch.inference_mode():
        expected = network(picture)
    with second_device(kind) as there, torch.inference_mode():
        network, picture = network.to(there.device), picture.to(there.device)
        there.copies.clear()
        features = network(picture)
        assert not any(there.copies.values())
        assert torch.allclose(features.cpu(), expected, atol=1e-4)
