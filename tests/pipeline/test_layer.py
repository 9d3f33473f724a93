"""One object's way through a shot: its box, its state, and what stays untouched."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.media.frame import Box, Frame
from vidstyle.motion.dis import DisFlow
from vidstyle.options import LookOptions
from vidstyle.pipeline.layer import Layer, LayerContext
from vidstyle.runtime.workers import WorkerPool
from vidstyle.segment.mattes.store import bounding_box
from vidstyle.style.build import build_stylizer
from vidstyle.style.stylizer import Stylizer, Transfer

SIZE = (120, 200)


class HeldMattes:
    """Mattes in memory."""

    def __init__(self, boxes: Sequence[Box | None]) -> None:
        self.mattes = [np.zeros(SIZE, np.uint8) for _ in boxes]
        for matte, box in zip(self.mattes, boxes, strict=True):
            if box is not None:
                matte[box.rows, box.columns] = 255

    def __len__(self) -> int:
        return len(self.mattes)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        return self.mattes[index]

    def box(self, index: int) -> Box | None:
        return bounding_box(self.mattes[index])


@pytest.fixture(scope="module")
def stylizer(tiny_model: Path) -> Stylizer:
    return build_stylizer(str(tiny_model), torch.device("cpu"))


@pytest.fixture(scope="module")
def transfer(stylizer: Stylizer) -> Transfer:
    """From a cat to a cup of coffee."""
    cat, coffee = (
        torch.from_numpy(image[:160, :240].copy()).movedim(-1, 0)[None] / 255
        for image in (skimage.data.chelsea(), skimage.data.coffee())
    )
    return stylizer.transfer(lambda: [(cat, torch.ones_like(cat[:, :1]))], stylizer.style(coffee))


def pan(count: int, dtype: torch.dtype = torch.uint8) -> list[Frame]:
    """A photograph, two pixels a frame to the left."""
    photograph = torch.from_numpy(skimage.data.chelsea()[100 : 100 + SIZE[0]].copy())
    codes = photograph.to(dtype) if dtype == torch.uint8 else (photograph.int() * 257).to(dtype)
    return [
        Frame(codes[:, 2 * i : 2 * i + SIZE[1]].contiguous(), i, i, Fraction(1, 24))
        for i in range(count)
    ]


def stacked(frames: Sequence[Frame]) -> Tensor:
    return torch.stack([frame.image for frame in frames])


def layer(
    boxes: Sequence[Box | None],
    stylizer: Stylizer,
    transfer: Transfer,
    *,
    strength: float = 1.0,
    feather: float = 2.0,
    steady: bool = True,
) -> Layer:
    look = LookOptions(strength=strength, feather=feather)
    context = LayerContext(stylizer, steady=DisFlow(540) if steady else None)
    return Layer(HeldMattes(boxes), transfer, look, context)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.uint16])
@pytest.mark.parametrize("feather", [0.0, 2.0, 45.0])
def test_outside_the_feathered_matte_nothing_changes(
    stylizer: Stylizer, transfer: Transfer, dtype: torch.dtype, feather: float
) -> None:
    boxes = [Box(60 + 5 * i, 50, 90 + 5 * i, 80) for i in range(4)]
    frames = pan(4, dtype)
    result = layer(boxes, stylizer, transfer, feather=feather).render(frames, stacked(frames))
    changed = (result.int() != stacked(frames).int()).any(dim=-1)
    for one, box in zip(changed, boxes, strict=True):
        near = torch.zeros(SIZE, dtype=torch.bool)
        reach = int(feather)
        near[max(0, 50 - reach) : 80 + reach, max(0, box.x0 - reach) : box.x1 + reach] = True
        assert not one[~near].any()
        assert one[box.rows, box.columns].float().mean() > 0.9


def test_a_wide_feather_fades_and_is_not_cut_off(stylizer: Stylizer, transfer: Transfer) -> None:
    frames = pan(1)
    result = layer([Box(80, 50, 110, 80)], stylizer, transfer, feather=60.0, steady=False).render(
        frames, stacked(frames)
    )
    change = (result.int() - stacked(frames).int()).abs().amax(dim=-1)[0]
    # A cut would leave a step at the edge of the box that the network saw.
    assert change[65, 80 - 46 : 80 - 36].max() > 0
    assert change[65, 110 + 36 : 110 + 46].max() > 0


def test_strength_zero_and_an_absent_object_give_the_canvas_itself(
    stylizer: Stylizer, transfer: Transfer
) -> None:
    frames = pan(2)
    canvas = stacked(frames)
    box = Box(60, 40, 100, 80)
    assert layer([box] * 2, stylizer, transfer, strength=0).render(frames, canvas) is canvas
    assert layer([None] * 2, stylizer, transfer).render(frames, canvas) is canvas


def with_alpha(frame: Frame) -> Frame:
    """Premultiplied floats: nothing at the left, half in the middle, all at the right."""
    alpha = torch.ones(SIZE)
    alpha[:, :70], alpha[:, 70:85] = 0, 0.5
    return replace(frame, image=frame.image.float() / 255 * alpha[..., None], alpha=alpha)


def test_a_transparent_plate_stays_transparent(stylizer: Stylizer, transfer: Transfer) -> None:
    frames, box = [with_alpha(pan(1)[0]), pan(2)[1]], Box(40, 30, 160, 90)
    frames[1] = replace(frames[1], image=frames[1].image.float() / 255)  # without alpha
    plates = stacked(frames)
    painted = layer([box] * 2, stylizer, transfer).render(frames, plates)
    nothing = plates.new_zeros(*plates.shape[:-1], 4)
    element = layer([box] * 2, stylizer, transfer).render(frames, nothing)
    assert torch.equal(painted[0][:, :70], plates[0][:, :70])
    assert (painted[1][30:90, 40:70] != plates[1][30:90, 40:70]).float().mean() > 0.9
    for place, alpha in ((0, frames[0].alpha), (1, torch.ones(SIZE))):
        assert alpha is not None
        assert torch.equal(element[place, 40:80, 50:150, 3], alpha[40:80, 50:150])
    over = element[..., :3] + plates * (1 - element[..., 3:])
    torch.testing.assert_close(over, painted)


def test_straight_colours_may_change_where_they_are_not_seen(
    stylizer: Stylizer, transfer: Transfer
) -> None:
    frame, box = pan(1)[0], Box(40, 30, 160, 90)
    clear = replace(frame, alpha=torch.zeros(SIZE, dtype=torch.uint8))
    plates = stacked([frame])
    results = [layer([box], stylizer, transfer).render([one], plates) for one in (frame, clear)]
    assert torch.equal(*results)
    nothing = plates.new_zeros(*plates.shape[:-1], 4)
    assert not layer([box], stylizer, transfer).render([clear], nothing).any()


def test_the_canvas_is_not_written_to(stylizer: Stylizer, transfer: Transfer) -> None:
    frames = pan(2)
    canvas = stacked(frames)
    before = canvas.clone()
    result = layer([Box(60, 40, 100, 80)] * 2, stylizer, transfer).render(frames, canvas)
    assert torch.equal(canvas, before)
    assert not torch.equal(result, before)


def test_an_object_that_returns_starts_afresh(stylizer: Stylizer, transfer: Transfer) -> None:
    box = Box(60, 40, 100, 80)
    boxes = [box, box, None, None, box, box]
    frames = pan(6)
    whole = layer(boxes, stylizer, transfer)
    for start in (0, 2):
        whole.render(frames[start : start + 2], stacked(frames[start : start + 2]))
    returned = whole.render(frames[4:], stacked(frames[4:]))
    fresh = layer(boxes, stylizer, transfer).render(frames[4:], stacked(frames[4:]))
    assert torch.equal(returned, fresh)


def test_the_past_reaches_over_batches(stylizer: Stylizer, transfer: Transfer) -> None:
    """Frame 2 is steadied by frame 1 of the batch before, though the box has moved by then."""
    boxes = [Box(60 + 8 * i, 40, 100 + 8 * i, 80) for i in range(4)]
    frames = pan(4)
    steadied = layer(boxes, stylizer, transfer)
    steadied.render(frames[:2], stacked(frames[:2]))
    second = steadied.render(frames[2:], stacked(frames[2:]))
    alone = layer(boxes, stylizer, transfer).render(frames[2:], stacked(frames[2:]))
    together = layer(boxes, stylizer, transfer).render(frames, stacked(frames))
    assert not torch.equal(second[0], alone[0])
    # Only the boxes differ, and with them a little of the flow.
    difference = (second.int() - together[2:].int()).abs().float()
    assert difference.mean() < 0.05
    assert difference.mean() < (alone.int() - together[2:].int()).abs().float().mean() / 2


def test_batches_of_a_steady_box_make_no_difference_without_the_temporal_step(
    stylizer: Stylizer, transfer: Transfer
) -> None:
    frames = pan(3)
    boxes = [Box(60, 40, 100, 80)] * 3
    together = layer(boxes, stylizer, transfer, steady=False).render(frames, stacked(frames))
    one_by_one = layer(boxes, stylizer, transfer, steady=False)
    parts = [one_by_one.render([frame], stacked([frame])) for frame in frames]
    assert (torch.cat(parts).int() - together.int()).abs().max() <= 1


def test_the_number_of_hands_changes_no_pixel(tiny_model: Path) -> None:
    """Neither of the style, nor of the frozen maps, nor of the frames."""
    frames, mattes = pan(4), HeldMattes([Box(60, 40, 100, 80)] * 4)
    painting = torch.from_numpy(skimage.data.coffee()[:160, :240].copy()).movedim(-1, 0)[None] / 255
    first = frames[0].image.movedim(-1, 0)[None] / 255
    samples = [(first, torch.ones_like(first[:, :1]))] * 3
    results = []
    for hands in (1, 3):
        workers = WorkerPool(hands)
        stylizer = build_stylizer(str(tiny_model), torch.device("cpu"), workers=workers)
        transfer = stylizer.transfer(lambda: samples, stylizer.style(painting))
        with workers:
            context = LayerContext(stylizer, workers, DisFlow(540))
            whole = Layer(mattes, transfer, LookOptions(), context)
            results.append(whole.render(frames, stacked(frames)))
    assert torch.equal(*results)


def test_what_does_not_fit_into_memory_at_once_comes_out_the_same(
    stylizer: Stylizer, transfer: Transfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, boxes = pan(5), [Box(60, 40, 100, 80)] * 5
    whole = layer(boxes, stylizer, transfer).render(frames, stacked(frames))
    restyle = Stylizer.__call__

    def cramped(self: Stylizer, images: Tensor, *settings: object) -> Tensor:
        if len(images) > 2:
            raise torch.OutOfMemoryError
        return restyle(self, images, *settings)

    monkeypatch.setattr(Stylizer, "__call__", cramped)
    assert torch.equal(layer(boxes, stylizer, transfer).render(frames, stacked(frames)), whole)
