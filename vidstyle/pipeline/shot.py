"""The way of a frame through a render: the spine of the product.

    reader ─► drafts (box ─► style, motion) ─► layers (temporal ─► composite) ─► writer

Shots, mattes and statistics are known before (see :mod:`vidstyle.pipeline.analysis`), so a frame
needs nothing from frames to come, and any segment of a shot can be rendered anywhere. Each arrow
goes from one thread to the next: while a batch is steadied and laid over the plates, the one before
it is encoded, the one after it is drafted, and those to come are decoded.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import torch
from torch import Tensor

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipReader, ClipWriter
from vidstyle.media.video.overlap import queue_depth
from vidstyle.pipeline.layer import Draft, Layer
from vidstyle.runtime.log_context import at
from vidstyle.runtime.prefetch import read_ahead
from vidstyle.runtime.timing import Stages
from vidstyle.runtime.workers import WorkerPool


@dataclass(frozen=True)
class Segment:
    """A run of frames that is rendered on its own.

    Attributes:
        start, stop: the frames that it delivers, half open.
        warm_up: where it begins to render: frames before ``start`` settle the temporal step and
            are dropped.
    """

    start: int
    stop: int
    warm_up: int

    def delivers(self, frame: Frame) -> bool:
        return self.start <= frame.index < self.stop


def cut_into_segments(start: int, stop: int, length: int, preroll: int) -> list[Segment]:
    """The fixed grid of a shot; one segment where ``length`` is 0."""
    starts = range(start, stop, length or stop - start)
    return [Segment(s, min(s + starts.step, stop), max(start, s - preroll)) for s in starts]


def render_shot(
    reader: ClipReader,
    segments: Sequence[Segment],
    new_layers: Callable[[], Sequence[Layer]],
    writer: ClipWriter,
    *,
    batch: int,
    workers: WorkerPool,
    stages: Stages,
    on_frames: Callable[[int], None],
    element: bool = False,
) -> None:
    """Render a shot, or some segments of it: read, restyle, write.

    Args:
        segments: of one shot, in order (see :func:`cut_into_segments`).
        new_layers: makes the layers of a segment, from the lowest to the topmost. They carry
            state from frame to frame, so each segment starts with fresh ones.
        batch: frames that go through the network at once.
        workers: of the layers.
        on_frames: called with how many more frames were written; with 0 while a batch is waited
            for, so that it may end the run.
        element: write what is restyled alone, premultiplied, over nothing.
    """
    for segment in segments:
        layers = new_layers()
        plates = reader.frames(segment.warm_up, segment.stop)
        depth = queue_depth(reader.info, batch)
        with (
            read_ahead(plates, depth) as frames,
            read_ahead(
                _drafted(frames, layers, batch, stages), depth=1, go_on=partial(on_frames, 0)
            ) as drafted,
        ):
            try:
                for group, drafts in drafted:
                    with at(frame=group[0].index):
                        canvas = _restyled(group, layers, drafts, element)
                        pairs = zip(group, canvas, strict=True)
                        done = [pair for pair in pairs if segment.delivers(pair[0])]
                        with stages("encode"):
                            for frame, image in done:
                                writer.write(rendered(frame, image))
                    on_frames(len(done))
            except BaseException:
                workers.stop()  # the batch that is being drafted is not needed
                raise


def _drafted(
    frames: Iterator[Frame], layers: Sequence[Layer], batch: int, stages: Stages
) -> Iterator[tuple[Sequence[Frame], list[Draft | None]]]:
    """Batches, and what every layer drafted of them."""
    for group in _batched(frames, batch, stages):
        with at(frame=group[0].index):
            drafts = [layer.draft(group) for layer in layers]
        yield group, drafts


def _restyled(
    group: Sequence[Frame],
    layers: Sequence[Layer],
    drafts: Sequence[Draft | None],
    element: bool,
) -> Tensor:
    """The plates, or nothing for an element, with every layer over them."""
    canvas = torch.stack([frame.image for frame in group])
    if element:
        canvas = canvas.new_zeros(*canvas.shape[:-1], 4)
    for layer, draft in zip(layers, drafts, strict=True):
        canvas = layer.finish(group, draft, canvas)
    return canvas


def rendered(frame: Frame, image: Tensor) -> Frame:
    """A plate's frame with its result: (H, W, 3), or (H, W, 4) of an element, premultiplied."""
    if image.shape[-1] == 3:
        return replace(frame, image=image)
    colours, alpha = image[..., :3].contiguous(), image[..., 3].contiguous()
    return replace(frame, image=colours, alpha=alpha, premultiplied=True, origin=None)


def _batched(frames: Iterator[Frame], size: int, stages: Stages) -> Iterator[list[Frame]]:
    """Groups of up to ``size`` frames. What waiting for them costs is decoding not overlapped."""
    while True:
        with stages("decode"):
            group = list(islice(frames, size))
        if not group:
            return
        yield group
