"""From shot to shot without a cut that is found: no ghost of the old shot is dragged along.

Dissolves are not found as cuts, nor are cuts within two frames of a clip's ends. There it is for
the confidence in the motion to tell that nothing of the past belongs.
"""

from collections.abc import Sequence

import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.media.frame import Box
from vidstyle.motion.dis import DisFlow
from vidstyle.motion.estimate import Motion, estimate_motion
from vidstyle.motion.temporal import TemporalFilter

H, W = 120, 180
BOX = Box(0, 0, W, H)


def pan(photograph: Tensor, count: int, step: int) -> Tensor:
    """(count, 3, H, W): ``step`` pixels a frame over a photograph (3, h, w)."""
    places = [max(0, -step * (count - 1)) + step * i for i in range(count)]
    return torch.stack([photograph[:, 40 : 40 + H, x : x + W] for x in places])


@pytest.fixture(scope="module")
def shots() -> tuple[Tensor, Tensor]:
    """Two shots of 14 frames each, that pan in opposite directions."""
    coffee, cat = (
        torch.from_numpy(image.copy()).movedim(-1, 0) / 255
        for image in (skimage.data.coffee(), skimage.data.chelsea())
    )
    return pan(coffee, 14, 3), pan(cat, 14, -2)


def styled(plates: Tensor) -> Tensor:
    """A style of strong contrast: what is left of a shot is easily seen."""
    return (1 - (plates - 0.5) * 1.6 - 0.5).clamp(0, 1)


def ghosts(plates: Tensor, old: Tensor, styles: Tensor, trusting: bool = False) -> Tensor:
    """How much of the old shot each steadied frame holds beyond what is in the frame itself: the
    part g of (old − S) that explains (O − S) best. 0 where the frame is the old shot.

    Args:
        trusting: trusts every motion, as a step without confidence would.
    """
    steady, dis, found = TemporalFilter(), DisFlow(540), [torch.tensor(0.0)]
    for t, style in enumerate(styles):
        motion = estimate_motion(dis, plates[max(0, t - 1)][None], plates[t][None])
        if trusting:
            motion = Motion(motion.flow, torch.ones_like(motion.confidence))
        kept, other = steady.step(style, motion, BOX) - style, old[t] - style
        found.append((kept * other).sum() / other.square().sum())
    return torch.stack(found[1:]).nan_to_num()


def joined(shots: tuple[Tensor, Tensor], weights: Sequence[float]) -> Tensor:
    """The first shot going over to the second, ``weights`` of it in each frame."""
    mix = torch.tensor(weights)[:, None, None, None]
    count = len(weights)
    return (1 - mix) * shots[0][:count] + mix * shots[1][:count]


@pytest.mark.parametrize("length", [3, 8])
def test_a_dissolve_drags_no_ghost(shots: tuple[Tensor, Tensor], length: int) -> None:
    """When it is over no more is left than of one frame's step, and soon nothing that is seen."""
    weights = [0.0] * 3 + [(i + 1) / length for i in range(length)] + [1.0] * 3
    plates = joined(shots, weights)
    old, styles = styled(shots[0]), styled(plates)
    found, trusting = ghosts(plates, old, styles), ghosts(plates, old, styles, trusting=True)
    over = 3 + length - 1  # the first frame of the new shot alone
    assert found[over] < 1 / length
    assert found[over] < 0.7 * trusting[over]
    assert found[over:].max() < 0.12
    assert found[-1] < 0.05


@pytest.mark.parametrize("cut", [1, 2])
def test_a_cut_that_is_not_found_drags_no_ghost(shots: tuple[Tensor, Tensor], cut: int) -> None:
    plates = joined(shots, [float(i >= cut) for i in range(4)])
    old, styles = styled(shots[0]), styled(plates)
    assert ghosts(plates, old, styles)[cut:].abs().max() < 0.01
    assert ghosts(plates, old, styles, trusting=True)[cut] > 0.15
