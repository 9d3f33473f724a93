"""A frame's path through a render: the core pipeline.

    reader ─► drafts (box ─► style, motion) ─► layers (temporal ─► composite) ─► writer

Shots, mattes and statistics are known in advance (see :mod:`vidstyle.pipeline.analysis`), so no
frame depends on later ones, and any segment of a shot can be rendered anywhere. Each arrow is a
thread boundary: while one batch is steadied and composited, the previous one is encoded, the next
one drafted, and those after it decoded.
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
    """A run of frames that is rendered independently.

    Attributes:
        start, stop: the frames it delivers, half-open.
        warm_up: first frame rendered: those before ``start`` let the temporal step settle and are
            dropped.
    """

    start: int
    stop: int
    warm_up: int

    def delivers(self, frame: Frame) -> bool:
        return self.start <= frame.index < self.stop


def cut_into_segments(start: int, stop: int, length: int, preroll: int) -> list[Segment]:
    """A shot's fixed grid; a single segment if ``length`` is 0."""
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
        new_layers: makes the layers of a segment, bottom to top. They carry state from frame to
            frame, so each segment starts with fresh ones.
        batch: frames per network call.
        workers: of the layers.
        on_frames: called with the number of frames newly written; with 0 while waiting for a
            batch, so that it can end the run.
        element: write only the restyled element, premultiplied, over transparency.
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
    """Batches, each with every layer's draft of it."""
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
    """All layers over the plates, or over transparency for an element."""
    canvas = torch.stack([frame.image for frame in group])
    if element:
        canvas = canvas.new_zeros(*canvas.shape[:-1], 4)
    for layer, draft in zip(layers, drafts, strict=True):
        canvas = layer.finish(group, draft, canvas)
    return canvas


def rendered(frame: Frame, image: Tensor) -> Frame:
    """A plate's frame with its result: (H, W, 3), or (H, W, 4) premultiplied for an element."""
    if image.shape[-1] == 3:
        return replace(frame, image=image)
    colours, alpha = image[..., :3].contiguous(), image[..., 3].contiguous()
    return replace(frame, image=colours, alpha=alpha, premultiplied=True, origin=None)


def _batched(frames: Iterator[Frame], size: int, stages: Stages) -> Iterator[list[Frame]]:
    """Groups of up to ``size`` frames. Time spent waiting here is decoding that did not overlap."""
    while True:
        with stages("decode"):
            group = list(islice(frames, size))
        if not group:
            return
        yield group
