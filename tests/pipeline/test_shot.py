"""The spine: whatever the division into tasks, the same pixels; and no seam to be seen."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import pytest
import skimage.data
import torch
from torch import Tensor

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo
from vidstyle.motion.dis import DisFlow
from vidstyle.options import LookOptions
from vidstyle.pipeline.layer import Layer, LayerContext
from vidstyle.pipeline.shot import Segment, cut_into_segments, render_shot
from vidstyle.runtime.timing import Stages
from vidstyle.runtime.workers import WorkerPool
from vidstyle.segment.mattes.derived import WholeFrame
from vidstyle.style.build import BUNDLED, build_stylizer

COUNT, SIZE = 24, (64, 96)


class Pan:
    """A reader of a photograph in a pan of 1.5 pixels a frame, with grain."""

    info = ClipInfo("pan", SIZE[1], SIZE[0], Fraction(24), Fraction(1, 24))

    def __init__(self) -> None:
        coffee = torch.from_numpy(skimage.data.coffee().copy()).float()
        random = torch.Generator().manual_seed(3)
        self._frames = []
        for index in range(COUNT):
            left = 3 * index // 2
            seen = coffee[100 : 100 + SIZE[0], 200 + left : 200 + left + SIZE[1]]
            if 3 * index % 2:
                seen = (seen + coffee[100 : 100 + SIZE[0], 201 + left : 201 + left + SIZE[1]]) / 2
            grain = 2 * torch.randn(seen.shape, generator=random)
            codes = (seen + grain).round().clamp(0, 255).byte()
            self._frames.append(Frame(codes, index, index, Fraction(1, 24)))

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[Frame]:
        yield from self._frames[start:stop]


class Kept:
    """A writer that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)


@pytest.fixture(scope="module")
def render():
    """Renders some segments of the pan, in the style of a cat, by a model that has learned (one
    that has not flickers little): the frames written."""
    stylizer = build_stylizer(BUNDLED, torch.device("cpu"))
    reader = Pan()
    cat = torch.from_numpy(skimage.data.chelsea()[:160, :240].copy()).movedim(-1, 0)[None] / 255
    first = next(reader.frames()).image.movedim(-1, 0)[None] / 255
    transfer = stylizer.transfer(lambda: [(first, torch.ones(1, 1, *SIZE))], stylizer.style(cat))

    def layers() -> list[Layer]:
        context = LayerContext(stylizer, steady=DisFlow(540))
        return [Layer(WholeFrame(SIZE, COUNT), transfer, LookOptions(feather=0.0), context)]

    def call(segments: Sequence[Segment]) -> list[Frame]:
        writer = Kept()
        render_shot(
            reader,
            segments,
            layers,
            writer,
            batch=4,
            workers=WorkerPool(),
            stages=Stages(),
            on_frames=lambda _: None,
        )
        return writer.frames

    return call


def stacked(frames: Sequence[Frame]) -> Tensor:
    assert [frame.index for frame in frames] == list(range(COUNT))
    return torch.stack([frame.image for frame in frames])


def test_any_division_of_the_grid_gives_the_same_pixels(render) -> None:
    """Five segments by one machine, by two, and by five in whatever order."""
    grid = cut_into_segments(0, COUNT, 5, 4)
    assert len(grid) == 5
    whole = stacked(render(grid))
    by_two = [*render(grid[:2]), *render(grid[2:])]
    by_five = [render([grid[number]]) for number in (3, 0, 4, 1, 2)]
    ordered = sorted((frame for part in by_five for frame in part), key=lambda f: f.index)
    assert torch.equal(stacked(by_two), whole)
    assert torch.equal(stacked(ordered), whole)


def test_no_seam_is_seen_after_the_preroll(render) -> None:
    """A segment that starts sixteen frames early is within a level of the shot in one go."""
    one_go = stacked(render(cut_into_segments(0, COUNT, 0, 16)))
    grid = stacked(render(cut_into_segments(0, COUNT, 20, 16)))
    assert torch.equal(grid[:20], one_go[:20])
    apart = (grid[20:].int() - one_go[20:].int()).abs()
    assert apart.max() <= 1
    # Without a pre-roll it would be seen.
    fresh = stacked(render(cut_into_segments(0, COUNT, 20, 0)))
    assert (fresh[20].int() - one_go[20].int()).abs().float().mean() > 2 * apart.float().mean() + 1
