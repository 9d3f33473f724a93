"""True flow: of generated shots, whose every pair is known, and of MPI-Sintel."""

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from photographs import astronaut, launch_pad
from scenes import Layer, Scene, similarity
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.evaluate.correspondence import EstimatedFlow, TrueFlow, followed
from vidstyle.evaluate.metrics import warping_error
from vidstyle.motion.dis import DisFlow

SIZE = (96, 160)
COUNT = 11


@pytest.fixture(scope="module")
def scene() -> Scene:
    """An astronaut passes a launch pad: turning, nearing, and hiding what is behind."""
    picture, matte = astronaut(0.15)
    pad, side = launch_pad(140), len(matte)

    def walk(time: float) -> np.ndarray:
        pivot = (side / 2, side)
        return similarity(45 + 3 * time, 98, degrees=2 * math.sin(time), pivot=pivot)

    def pan(time: float) -> np.ndarray:
        scale = 1 + 0.002 * time
        return similarity(80 - time, 48, scale=scale, pivot=(pad.shape[1] / 2, 70))

    return Scene([Layer(pad, None, pan), Layer(picture, matte, walk)], SIZE)


@pytest.fixture(scope="module")
def plates(scene: Scene) -> Tensor:
    """(11, 3, H, W) in [0, 1]."""
    pictures = [torch.from_numpy(scene.picture(time)) for time in range(COUNT)]
    return torch.stack(pictures).movedim(-1, 1)


@pytest.fixture(scope="module")
def truth(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As ``examples/make_shot.py --truth`` writes it."""
    folder = tmp_path_factory.mktemp("truth")
    for time in range(1, COUNT):
        flow, shown = scene.flow(time, time - 1)
        cv2.writeOpticalFlow(str(folder / f"backward.{time:04}.flo"), flow)
        picture = (shown * 255).round().astype(np.uint8)
        cv2.imwrite(str(folder / f"backward-shown.{time:04}.png"), picture)
    return folder


def pair(plates: Tensor, index: int, gap: int) -> tuple[Tensor, Tensor, int, int]:
    return plates[index - gap, None], plates[index, None], index, gap


def test_neighbours_have_the_flow_of_the_file(truth: Path, plates: Tensor, scene: Scene) -> None:
    found = TrueFlow(truth, 0).between(*pair(plates, 4, 1))
    flow, shown = scene.flow(4, 3)
    torch.testing.assert_close(found.flow[0], torch.from_numpy(flow).movedim(-1, 0))
    assert not found.from_earlier
    assert 0.02 < (found.mask == 0).float().mean() < 0.2
    assert (shown[found.mask[0, 0].numpy() == 1] > 0.97).all()


def test_followed_flow_is_that_of_the_shot_itself(
    truth: Path, plates: Tensor, scene: Scene
) -> None:
    """Ten steps from frame to frame, against the one map that the scene has for it."""
    found = TrueFlow(truth, 0).between(*pair(plates, 10, 10))
    flow, shown = scene.flow(10, 0)
    seen = found.mask[0, 0] == 1
    error = (found.flow[0] - torch.from_numpy(flow).movedim(-1, 0)).norm(dim=0)[seen]
    assert error.max() < 0.05
    assert (torch.from_numpy(shown)[seen] > 0.9).float().mean() > 0.995
    assert seen.float().mean() > 0.6 * (shown > 0.98).mean()
    plate = warping_error(plates[10:], plates[:1], found.flow, found.mask)
    assert plate.item() < 1e-3


def test_an_estimator_finds_about_the_same(truth: Path, plates: Tensor) -> None:
    true = TrueFlow(truth, 0).between(*pair(plates, 4, 1))
    found = EstimatedFlow(DisFlow(360)).between(*pair(plates, 4, 1))
    both = (true.mask * found.mask)[0, 0] == 1
    assert both.float().mean() > 0.5
    assert (true.flow - found.flow)[0].norm(dim=0)[both].median() < 0.3


def test_a_way_ends_where_it_is_hidden() -> None:
    right = torch.zeros(1, 2, 4, 6)
    right[:, 0] = 1
    shown = torch.ones(1, 1, 4, 6)
    shown[..., 3] = 0
    flow, mask = followed([(right, None), (right, shown)])
    assert (flow[:, 0] == 2).all()
    # Column 2 comes by the hidden column 3; columns 4 and 5 leave the frame.
    assert mask[0, 0, 0].tolist() == [1, 1, 0, 1, 0, 0]


def test_sintel(data: Callable[[str], Path]) -> None:
    """Its flows point forward, so the earlier frame is looked at; without maps, DIS must agree."""
    folder, flows = data("sintel/alley_1_clean"), data("sintel/alley_1_flow")
    plates = torch.stack(
        [
            torch.from_numpy(cv2.imread(str(folder / f"frame_000{n}.png"))[..., ::-1].copy())
            for n in (1, 2, 3)
        ]
    )
    plates = plates.movedim(-1, 1).float() / 255
    found = TrueFlow(flows, 1).between(*pair(plates, 2, 1))
    expected = cv2.readOpticalFlow(str(folder / "gt" / "frame_0002.flo"))
    torch.testing.assert_close(found.flow[0], torch.from_numpy(expected).movedim(-1, 0))
    assert found.from_earlier
    error = warping_error(plates[1:2], plates[2:3], found.flow, found.mask).item()
    still = warping_error(plates[1:2], plates[2:3], 0 * found.flow, found.mask).item()
    assert error < 0.1 * still
    # Sintel's own maps, in the layout of the sample: subfolders beside the flow.
    mapped = TrueFlow(folder / "gt", 1).between(*pair(plates, 2, 1))
    hidden = cv2.imread(str(folder / "gt" / "occlusions" / "frame_0002.png"), 0) > 250
    assert hidden.any()
    assert (mapped.mask[0, 0].numpy()[hidden] == 0).all()
    assert ((mapped.mask == 1) & (found.mask == 0)).float().mean() < 0.2
    assert warping_error(plates[1:2], plates[2:3], mapped.flow, mapped.mask).item() < 0.2 * still


def test_flow_that_cannot_be_used(truth: Path, plates: Tensor, tmp_path: Path) -> None:
    with pytest.raises(MediaError, match=r"no numbered \.flo files"):
        TrueFlow(tmp_path, 0)
    with pytest.raises(MediaError, match="no flow of frame 0; use --in, --out"):
        TrueFlow(truth, 0).between(*pair(plates, 1, 2))
    with pytest.raises(MediaError, match="not a flow of 80×96 pixels"):
        TrueFlow(truth, 0).between(*pair(plates[..., :80], 4, 1))
    (tmp_path / "frame_0001.flo").write_bytes(b"PIEH")
    with pytest.raises(MediaError, match=r"frame_0001\.flo: not a flow"):
        TrueFlow(tmp_path, 1).between(*pair(plates, 1, 1))
