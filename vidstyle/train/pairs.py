"""Pairs of pictures with known motion: from clips, or synthetic."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.media.frame import Frame, unit_range
from vidstyle.media.pattern import PICTURE_SUFFIXES
from vidstyle.media.video.clip import ClipReader
from vidstyle.media.video.reader import open_clip
from vidstyle.motion.estimator import FlowEstimator, both_ways
from vidstyle.motion.occlusion import valid
from vidstyle.motion.warp import inside, warp

MOVIE_SUFFIXES = (".mp4", ".mov", ".mkv", ".m4v", ".webm", ".avi", ".mxf")

#: A pair of frames with a smaller valid fraction than this is redrawn: a cut, or chaotic motion.
LEAST_VALID = 0.3

#: RGB difference, on a range of 1, too large for the same surface in different light. Where nothing
#: matches, forward and backward flow may still agree on zero motion.
UNLIKE = 0.2

#: Attempts before giving up: more than chance alone would need.
_DRAWS = 100

log = logging.getLogger(__name__)


class Pair(NamedTuple):
    """Two pictures and the motion between them; either all or none with a leading N.

    Attributes:
        before, after: (3, H, W) in [0, 1].
        flow: (2, H, W) in pixels, backward: after(x) ≈ before(x + flow(x)).
        valid: (1, H, W), 1 where ``after`` is visible in ``before``, else 0.
    """

    before: Tensor
    after: Tensor
    flow: Tensor
    valid: Tensor


def stack(pairs: Sequence[Pair]) -> Pair:
    """Pairs of equal size as one batch."""
    return Pair(*(torch.stack(tensors) for tensors in zip(*pairs, strict=True)))


class _Whole(NamedTuple):
    """Two whole frames as cached: a compact :class:`Pair`.

    Attributes:
        before, after: (h, w, 3) uint8.
        flow: (2, h, w) float16, in pixels.
        valid: (1, h, w) bool.
    """

    before: Tensor
    after: Tensor
    flow: Tensor
    valid: Tensor


class VideoPairs:
    """Random square crops of two frames of a clip: the same for the same state of ``random``.

    Frames are read, and their motion estimated, when a pair is drawn; the most recent pairs of
    whole frames are cached compactly (8-bit pictures, half-precision flow). Crops are scaled and
    mirrored like those of :class:`vidstyle.train.data.Crops`.
    """

    def __init__(
        self,
        clips: Sequence[ClipReader],
        estimator: FlowEstimator,
        *,
        side: int,
        short_side: int,
        zoom: tuple[float, float],
        gaps: tuple[int, ...] = (1,),
        places: int = 24,
        kept: int = 256,
    ) -> None:
        """
        Args:
            clips: e.g. from :func:`find_clips`; those no longer than the longest gap are skipped.
            estimator: of the flow, on the CPU.
            side: of a crop, in pixels.
            short_side: shorter side that frames are resized to, in pixels.
            zoom: range of a crop's extent in the frame, in multiples of ``side``.
            gaps: between the two frames, in frames.
            places: number of evenly spaced frames of a clip where a pair may end; fewer are
                re-read less often.
            kept: pairs of whole frames in memory, 1.5 MB each at a short side of 256.

        Raises:
            MediaError: every clip is too short.
        """
        self._side, self._short_side, self._zoom = side, short_side, zoom
        self._gaps = tuple(sorted(gaps))
        self._estimator = estimator
        self._clips: list[tuple[ClipReader, list[int]]] = []
        for clip in clips:
            ends = range(self._gaps[-1], _count(clip))
            if ends:
                spread = np.linspace(0, len(ends) - 1, min(places, len(ends))).round()
                self._clips.append((clip, [ends[int(place)] for place in spread]))
            else:
                log.warning("%s: no longer than %d frames; left out", clip.info.path, ends.start)
        if not self._clips:
            raise MediaError(
                f"none of {len(clips)} clips is longer than {self._gaps[-1]} frames; give longer "
                "clips, or choose shorter gaps"
            )
        self._whole = lru_cache(maxsize=kept)(self._estimate)

    def pair(self, random: np.random.Generator) -> Pair:
        """Two frames, one of the gaps apart, all gaps equally likely: tensors of ``side``².

        Raises:
            MediaError: hardly any motion in these clips can be tracked, they are flat, or one of
                them is unreadable.
        """
        return self._draw((self._gaps[int(random.integers(len(self._gaps)))],), random)[0]

    def history(self, random: np.random.Generator) -> list[Pair]:
        """One crop of one frame, ``after``, with the frame ``before`` it at each gap, nearest
        first, for a long-term loss.

        Raises:
            MediaError: as :meth:`pair`.
        """
        return self._draw(self._gaps, random)

    def _draw(self, gaps: tuple[int, ...], random: np.random.Generator) -> list[Pair]:
        for _ in range(_DRAWS):
            number = int(random.integers(len(self._clips)))
            ends = self._clips[number][1]
            end = ends[int(random.integers(len(ends)))]
            whole = [self._whole(number, end, gap) for gap in gaps]
            # The same random numbers are drawn whether or not the frames are readable.
            place, extent = random.random(2), self._side * random.uniform(*self._zoom)
            mirrored = random.random() < 0.5
            pairs = [
                _cropped(pair, self._side, round(extent), (place[0], place[1]), mirrored)
                for pair in whole
                if pair is not None
            ]
            if len(pairs) == len(gaps) and _teaches(pairs[0]):
                return pairs
        raise MediaError(
            f"{self._clips[0][0].info.path} and {len(self._clips) - 1} more clips: almost every "
            f"pair of frames {gaps[0]} apart is flat or cannot be followed; give other clips"
        )

    def _estimate(self, number: int, end: int, gap: int) -> _Whole | None:
        """Whole frames and their motion, compact; None if the clip lacks one of the two."""
        reader = self._clips[number][0]
        frames = {
            frame.index: self._shrunk(frame)
            for frame in reader.frames(end - gap, end + 1)
            if frame.index in (end - gap, end)
        }
        if len(frames) < 2:
            log.warning("%s: frame %d or %d is damaged", reader.info.path, end - gap, end)
            return None
        before, after = frames[end - gap], frames[end]
        a, b = unit_range(before)[None], unit_range(after)[None]
        forward, flow = both_ways(self._estimator, a, b)
        apart = (b - warp(a, flow, "bilinear")).square().mean(dim=1, keepdim=True).sqrt()
        trusted = valid(forward, flow) * (apart < UNLIKE)
        return _Whole(before, after, flow[0].half(), trusted[0].bool())

    def _shrunk(self, frame: Frame) -> Tensor:
        """(h, w, 3) uint8 with ``short_side`` as the shorter."""
        scale = self._short_side / min(frame.size)
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        resized = cv2.resize(frame.image.numpy(), None, fx=scale, fy=scale, interpolation=mode)
        if resized.dtype == np.uint16:
            resized = cv2.convertScaleAbs(resized, alpha=1 / 257)
        return torch.from_numpy(resized)


def find_clips(folder: Path) -> list[ClipReader]:
    """The clips below a folder: movie files, and folders of numbered frames.

    Folders of mattes (frames of pure black and white) among them are skipped.

    Raises:
        MediaError: there is no clip, or one cannot be read.
    """
    files = sorted(file for file in folder.rglob("*") if not file.name.startswith("."))
    movies = [file for file in files if file.suffix.lower() in MOVIE_SUFFIXES]
    pictures = {file.parent for file in files if file.suffix.lower() in PICTURE_SUFFIXES}
    clips = [open_clip(str(source)) for source in [*movies, *sorted(pictures)]]
    kept = [clip for clip in clips if not (clip.info.is_sequence and _holds_mattes(clip))]
    if not kept:
        raise MediaError(
            f"{folder}: there are no clips in it; give a folder of movies ("
            f"{' '.join(MOVIE_SUFFIXES)}) or of folders with numbered frames"
        )
    log.info("%s: %d clips, %d folders of mattes", folder, len(kept), len(clips) - len(kept))
    return kept


@dataclass(frozen=True)
class SyntheticMotion:
    """Synthetic motion, noise and light for single pictures, as in ReReVST (Wang 2020): camera
    motion plus a smooth random field.

    Parameters are uniform from −x to x; the field and the noise are normally distributed.

    Attributes:
        shift: pixels, in each direction.
        zoom: about the centre; 0.05 is five per cent.
        turn: degrees about the centre.
        wobble: standard deviation of the field, in pixels.
        grain: pixels between independent vectors of the field. Below about four times ``wobble``
            the field may fold.
        noise: standard deviation, on a range of 1.
        light: of the gain; half as much is added as an offset to all channels.
    """

    shift: float = 8.0
    zoom: float = 0.05
    turn: float = 3.0
    wobble: float = 2.0
    grain: float = 40.0
    noise: float = 0.02
    light: float = 0.1

    def __call__(self, images: Tensor, random: np.random.Generator) -> Pair:
        """Move and disturb pictures.

        Args:
            images: (N, 3, H, W) in [0, 1].
            random: the only source of randomness.

        Returns:
            The pictures as ``before``, and as ``after`` each warped (bilinear) along ``flow``,
            which is exact, then with light and noise applied, in [0, 1]. Valid where the flow
            stays inside the frame.
        """
        count, size = len(images), (images.shape[-2], images.shape[-1])
        flow = torch.stack([self._flow(size, random) for _ in range(count)]).to(images)
        gain, lift = random.uniform(-self.light, self.light, (2, count, 1, 1, 1))
        noise = self.noise * random.standard_normal(images.shape)
        lit = warp(images, flow, "bilinear") * _tensor(1 + gain, images)
        after = (lit + _tensor(lift / 2 + noise, images)).clamp(0, 1)
        return Pair(images, after, flow, inside(flow))

    def _flow(self, size: tuple[int, int], random: np.random.Generator) -> Tensor:
        """(2, H, W) float32."""
        height, width = size
        scale = 1 + random.uniform(-self.zoom, self.zoom)
        angle = math.radians(random.uniform(-self.turn, self.turn))
        shift = random.uniform(-self.shift, self.shift, 2)
        nodes = [math.ceil(side / self.grain) + 1 for side in size]
        field = torch.from_numpy(random.standard_normal((1, 2, *nodes), np.float32))
        field = F.interpolate(field, size, mode="bicubic", align_corners=True)[0]
        x = torch.arange(width, dtype=torch.float32) - (width - 1) / 2
        y = (torch.arange(height, dtype=torch.float32) - (height - 1) / 2)[:, None]
        along, across = scale * math.cos(angle), scale * math.sin(angle)
        camera = [
            (along - 1) * x - across * y + float(shift[0]),
            across * x + (along - 1) * y + float(shift[1]),
        ]
        return torch.stack(camera) + self.wobble * field


def _count(clip: ClipReader) -> int:
    """Approximate number of frames in a clip: containers may be wrong."""
    info = clip.info
    if info.frame_count is not None:
        return info.frame_count
    if info.duration is not None:
        return math.floor(info.duration * info.rate)
    return sum(1 for _ in clip.frames())


def _holds_mattes(clip: ClipReader) -> bool:
    """Whether first, middle and last frame are black and white: a single one may be a fade."""
    count = _count(clip)
    frames = [f.image for at in (0, count // 2, count - 1) for f in clip.frames(at, at + 1)]
    return all(bool(((image == 0) | (image == 255)).all()) for image in frames)


def _cropped(
    whole: _Whole, side: int, extent: int, place: tuple[float, float], mirrored: bool
) -> Pair:
    """A square of ``extent`` pixels at ``place`` (fraction of the free space, 0 to 1, down and
    across), resized to ``side``, with its flow."""
    height, width = whole.after.shape[:2]
    extent = min(extent, height, width)
    top, left = (
        int(p * (room - extent + 1)) for p, room in zip(place, (height, width), strict=True)
    )
    rows, columns = slice(top, top + extent), slice(left, left + extent)

    def resized(square: Tensor) -> Tensor:
        result = F.interpolate(square[None], (side, side), mode="bilinear", antialias=True)[0]
        return result.flip(2) if mirrored else result

    before, after = (
        resized(unit_range(picture[rows, columns])) for picture in (whole.before, whole.after)
    )
    flow = resized(whole.flow[:, rows, columns].float()) * (side / extent)
    if mirrored:
        flow = flow * flow.new_tensor([-1, 1])[:, None, None]
    # A pixel is valid if all its source pixels are.
    trusted = (resized(whole.valid[:, rows, columns].float()) > 0.999).float()
    return Pair(before, after, flow, trusted * inside(flow[None])[0])


def _teaches(pair: Pair) -> bool:
    """Whether the crop is not flat (as in ``Crops.plain``), and enough of it is valid."""
    return bool(pair.after.std() > 0.1) and bool(pair.valid.mean() >= LEAST_VALID)


def _tensor(values: np.ndarray, like: Tensor) -> Tensor:
    return torch.from_numpy(values).to(like)
