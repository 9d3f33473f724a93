"""From a field to a picture: rendering a frame with the paint of a key."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.carry.field import GRAIN, Field
from vidstyle.media.frame import Box
from vidstyle.motion.warp import warp

#: Pixels processed at a time in voting.
PORTION = 1 << 17
#: Weight of a patch at a pixel, up to which it counts only towards the mean.
LEAST = 0.02
#: Trust below which only patches are used, and above which only the flow.
DOUBT, FAITH = 0.35, 0.65


def sampled(planes: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Planes (..., h, w), sampled bilinearly: (..., H, W).

    Args:
        rows, columns: (H,) and (W,), in pixels of the planes; borders are replicated.
    """
    for axis, places in ((-2, rows), (-1, columns)):
        last = planes.shape[axis] - 1
        places = places.clamp(0, last)
        first = places.floor().long()
        share = places - first
        if axis == -2:
            share = share[:, None]
        low = planes.index_select(axis, first)
        high = planes.index_select(axis, (first + 1).clamp_max(last))
        planes = torch.lerp(low, high, share)
    return planes


def _on_grid(box: Box, paint: Tensor, field: Field, step: int) -> tuple[Tensor, Tensor]:
    """Rows (h,) and columns (w,) of a box of the plate, in steps of the working size from the
    field's corner; centres of pixels lie at half integers."""
    down, across = _scales(paint, field)
    rows = (torch.arange(box.y0, box.y1) + 0.5) / down - 0.5
    columns = (torch.arange(box.x0, box.x1) + 0.5) / across - 0.5
    return (rows - field.box.y0) / step, (columns - field.box.x0) / step


def followed(
    paint: Tensor, field: Field, box: Box, *, sharp: bool = False
) -> tuple[Tensor, Tensor]:
    """The paint along the flow.

    Args:
        paint: of the key, (1, C, H, W).
        box: of the plate.
        sharp: use the one of the four neighbouring pixels that is closest in colour to their
            interpolation, as in :func:`voted`; interpolation loses a sixth of the detail.

    Returns:
        (1, C, h, w) in the box, and trust in it, (1, 1, h, w).
    """
    down, across = _scales(paint, field)
    known = torch.cat([field.offset, field.trust[None]])
    there = sampled(known, *_on_grid(box, paint, field, GRAIN))[None]
    offset = there[:, :2] * there.new_tensor([across, down])[:, None, None]
    offset = offset + offset.new_tensor([box.x0, box.y0])[:, None, None]
    moved = warp(paint, offset)
    return (_nearest_of_four(paint, offset, moved) if sharp else moved), there[:, 2:]


def _nearest_of_four(paint: Tensor, offset: Tensor, wanted: Tensor) -> Tensor:
    """Of the four pixels of (1, C, H, W) around each target of an offset (1, 2, h, w), the one
    closest in colour to ``wanted``, (1, C, h, w)."""
    height, width = offset.shape[2:]
    x = (offset[0, 0] + torch.arange(width)).floor().long()
    y = (offset[0, 1] + torch.arange(height)[:, None]).floor().long()
    flat = paint[0].flatten(1)
    least, chosen = torch.full((height, width), torch.inf), wanted[0]
    for down in (0, 1):
        row = (y + down).clamp(0, paint.shape[2] - 1) * paint.shape[3]
        for right in (0, 1):
            colour = flat[:, row + (x + right).clamp(0, paint.shape[3] - 1)]
            gap = (colour - wanted[0]).square_().sum(0)
            chosen = torch.where(gap < least, colour, chosen)
            least = torch.minimum(gap, least)
    return chosen[None]


def voted(paint: Tensor, field: Field, box: Box) -> tuple[Tensor, Tensor]:
    """The paint of the matched patches.

    Sixteen patches propose a colour for each pixel. Their mean would lose detail wherever they
    disagree by a pixel, so the proposal closest to the mean is used: every colour was painted.

    Args:
        paint: of the key, (1, 3, H, W), defined everywhere.
        box: of the plate.

    Returns:
        (1, 3, h, w) in the box, 0 where there is none, and a mask of where there is, (1, 1, h, w).
    """
    rows, columns = _on_grid(box, paint, field, field.stride)
    placed = (field.matches[:1] >= 0).float()
    near = F.max_pool2d(placed[None], 3, 1, 1)[0, 0].round()
    reached = near[_nearest(rows, near.shape[0])][:, _nearest(columns, near.shape[1])] > 0
    picture, known = paint.new_zeros(3, *reached.shape), paint.new_zeros(reached.shape)
    for pixels in reached.nonzero().split(PORTION):
        y, x = pixels.unbind(1)
        picture[:, y, x], known[y, x] = _chosen(paint, field, rows[y], columns[x])
    return picture[None], known[None, None]


def _chosen(paint: Tensor, field: Field, rows: Tensor, columns: Tensor) -> tuple[Tensor, Tensor]:
    """Colours (3, N) of pixels, and whether there is one, (N,).

    Args:
        rows, columns: of the pixels, (N,), in strides from the lattice's corner.
    """
    height, width = paint.shape[2:]
    down, across = _scales(paint, field)
    flat, proposals = paint[0].flatten(1), []
    for up in (-1, 0, 1, 2):
        row, fall = _near(rows, up, field.matches.shape[1])
        for left in (-1, 0, 1, 2):
            column, slope = _near(columns, left, field.matches.shape[2])
            match = field.matches[:, row, column]
            y = _pixel(match[1] + (rows - row) * field.stride, down, height)
            x = _pixel(match[0] + (columns - column) * field.stride, across, width)
            proposals.append((fall * slope * (match[0] >= 0), flat[:, y * width + x]))
    weight = sum_of([share for share, _ in proposals], [1.0] * len(proposals))
    mean = torch.zeros_like(proposals[0][1])
    for share, colour in proposals:
        mean.addcmul_(share, colour)
    mean /= weight.clamp_min(1e-6)
    least, chosen = torch.full_like(weight, torch.inf), mean
    for share, colour in proposals:
        gap = (colour - mean).square_().sum(0).masked_fill_(share <= LEAST, torch.inf)
        chosen = torch.where(gap < least, colour, chosen)
        least = torch.minimum(gap, least)
    return chosen, (weight > 0).float()


def _nearest(places: Tensor, count: int) -> Tensor:
    return places.round().clamp(0, count - 1).long()


def _near(places: Tensor, step: int, count: int) -> tuple[Tensor, Tensor]:
    """The index of a lattice point near each pixel, and the weight of its patch there: a triangle
    that extends two strides to either side."""
    number = places.floor() + step
    weight = (1 - (places - number).abs() / 2).clamp_min(0)
    weight = weight * ((number >= 0) & (number < count))
    return number.clamp(0, count - 1).long(), weight


def _pixel(position: Tensor, scale: float, side: int) -> Tensor:
    """The plate's pixel at a position in the working size."""
    return ((position + 0.5) * scale - 0.5).round().long().clamp(0, side - 1)


def _scales(paint: Tensor, field: Field) -> tuple[float, float]:
    """Plate pixels per pixel of the working size, down and across."""
    return paint.shape[2] / field.size[0], paint.shape[3] / field.size[1]


def painted(paint: Tensor, field: Field, box: Box) -> tuple[Tensor, Tensor]:
    """A frame as one key paints it: along the flow where that is trusted, from patches elsewhere.

    Args:
        paint: of the key, (1, 3, H, W) in [0, 1], defined everywhere.
        box: of the plate.

    Returns:
        (1, 3, h, w) in [0, 1] in the box, and how well the key shows what is there, (1, 1, h, w).
    """
    along, trust = followed(paint, field, box, sharp=True)
    patched, known = voted(paint, field, box)
    faith = ((trust - DOUBT) / (FAITH - DOUBT)).clamp(0, 1)
    shown = sampled(field.shown, *_on_grid(box, paint, field, field.stride))[None, None]
    picture = torch.lerp(patched, along, torch.where(known > 0, faith, 1.0))
    return picture, torch.maximum(shown, faith)


def blended(pictures: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Pictures (1, 3, h, w) blended by their shares, which add up to 1, without losing contrast:
    uncorrelated detail is rescaled to its variance in each picture (Heitz and Neyret,
    "High-Performance By-Example Noise", HPG 2018)."""
    if len(pictures) == 1:
        return pictures[0]
    coarse = [_coarse(picture) for picture in pictures]
    mean = sum_of(coarse, shares)
    detail = sum_of([p - c for p, c in zip(pictures, coarse, strict=True)], shares)
    gain = float(sum(share**2 for share in shares)) ** -0.5
    return torch.clamp(mean + gain * detail, 0, 1)


def sum_of(pictures: Sequence[Tensor], shares: Sequence[float]) -> Tensor:
    """Σ share · picture."""
    total = torch.zeros_like(pictures[0])
    for picture, share in zip(pictures, shares, strict=True):
        total.add_(picture, alpha=share)
    return total


def _coarse(picture: Tensor) -> Tensor:
    """The 9×9 mean of a picture."""
    return F.avg_pool2d(F.pad(picture, (4,) * 4, mode="replicate"), 9, 1)
