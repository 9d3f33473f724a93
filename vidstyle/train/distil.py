"""The first phase: distil encoder and decoder of a student from a teacher.

Both are dense regressions, which a small network learns in an hour or two, whereas a style loss,
whose gradient is mostly noise from one pair of pictures to the next, takes days:

    features  ‖E(x) − teacher's components‖², each divided by its standard deviation
    bands     |bands of D(T h) − bands of the teacher's picture|
    energy    the same for the bands' local energy: the mean of all plausible strokes has the
              right colours but no strokes
    tones     mean colours of 8×8 pixels
    steady    |bands of D(T h) − those of the same region, shifted by some pixels on the grid|
    texture   ‖Gram(D(T h)) − Gram(teacher's picture)‖², relative, over the layers of a
              perceptual network up to relu4_1

``steady`` is a temporal loss with known motion: strokes move with the surface they are painted on
and do not change under fresh grain. It is computed on half of a batch: the same gradient on
average, for half of the work. ``texture`` applies once encoder and decoder are joined, and is meant
for a last run that starts from a model trained with the other terms. Gram matrices (Gatys 2016)
have little noise when compared with the teacher's picture of the same region rather than with the
style picture: the target there is known. Part of a crop is enough.

T is the closed-form map between the teacher's statistics. h starts as the teacher's features, so
that the decoder learns on its intended input, and gradually becomes the student's own.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.perceptual.statistics import gram, gram_distance
from vidstyle.style.micro import MicroNetwork
from vidstyle.train.config import DistilConfig
from vidstyle.train.lessons import Lessons, cropped
from vidstyle.train.objective import Objective, Sample

#: Random streams of training items and of held-out items.
_TRAINING, _HELD_OUT = 0, 1

#: Pixels at a crop's border that are not compared: the teacher saw beyond the crop.
_BORDER = 8

#: Largest shift of a crop's second view, in pixels; and the margin inside the first view within
#: which both are compared.
_MOVED, _SEEN_TWICE = 7, 16

#: Smallest energy, per channel of a layer, that texture is divided by: some crops are nearly flat.
_FLAT = 1e-2

#: Side of the window that local energy is averaged over, in blocks.
_AROUND = 5


class DistilObjective(Objective):
    """The terms above."""

    deviation: Tensor

    def __init__(
        self,
        network: MicroNetwork,
        perceptual: PerceptualNetwork,
        lessons: Lessons,
        held_out: Lessons,
        config: DistilConfig,
        *,
        seed: int,
        items: int,
    ) -> None:
        """
        Args:
            items: number of validation items.
        """
        super().__init__()
        self.network, self.perceptual = network, perceptual
        self._lessons, self._kept, self._config = lessons, held_out, config
        self._seed, self._items, self._progress = seed, items, 0.0
        if network.attention is not None:  # it learns in the style phase
            network.attention.requires_grad_(False)
        seen = [lessons[number].features for number in range(min(16, len(lessons)))]
        spread = np.stack(seen).astype(np.float32).std((0, 2, 3))
        self.register_buffer("deviation", torch.from_numpy(spread)[:, None, None])

    def weights(self, progress: float) -> dict[str, float]:
        self._progress = progress
        weights = dict(vars(self._config.weights))
        if progress < self._config.joined:
            weights["texture"] = 0.0
        return weights

    def sample(self, index: int) -> Sample:
        random = np.random.default_rng((self._seed, _TRAINING, index))
        sample = self._draw(self._lessons, int(random.integers(len(self._lessons))), random)
        noise = self._config.noise * random.random()
        sample["part"] = torch.from_numpy(random.random(2))
        for look in ("content", "again"):
            grain = random.standard_normal(tuple(sample[look].shape), np.float32)
            sample[look] = sample[look] + noise * torch.from_numpy(grain)
        sample["chance"] = torch.tensor(math.sqrt(random.random()))
        return sample

    def held_out(self) -> list[Sample]:
        return [
            {
                **self._draw(
                    self._kept,
                    number % len(self._kept),
                    np.random.default_rng((self._seed, _HELD_OUT, number)),
                ),
                "chance": torch.tensor(0.0),
                "part": torch.tensor([0.5, 0.5], dtype=torch.float64),
            }
            for number in range(self._items)
        ]

    def forward(self, batch: Sample) -> dict[str, Tensor]:
        network, wanted, pictures = self.network, batch["features"], batch["pictures"]
        features = network.encode(batch["content"]).float()
        own = self._own(batch["chance"])[:, None, None, None]
        decoded = self._decoded(torch.lerp(wanted, features, own), batch)
        inside = slice(_BORDER, -_BORDER)
        painted = decoded[..., inside, inside]
        target = pictures.flatten(0, 1)[..., inside, inside]
        ours, theirs = (_opponent(network.lapped(each)) for each in (painted, target))
        return {
            "features": ((features - wanted) / self.deviation.sqrt()).square().mean()
            / self.deviation.mean(),
            "bands": (ours - theirs).abs().mean(),
            "energy": (_energy(ours) - _energy(theirs)).abs().mean(),
            "steady": self._unsteady(decoded, batch),
            "texture": self._untextured(painted, target, batch["part"]),
            "tones": (F.avg_pool2d(painted - target, 8).square().mean() + 1e-6).sqrt(),
        }

    def _decoded(self, features: Tensor, batch: Sample) -> Tensor:
        """Features (N, K, h, w) decoded in every style: (N · styles, 3, H, W)."""
        moved = batch["matrix"] @ features.flatten(2)[:, None] + batch["offset"][..., None]
        return self.network.decode(moved.flatten(0, 1).unflatten(2, features.shape[2:])).float()

    def _unsteady(self, decoded: Tensor, batch: Sample) -> Tensor:
        """Difference of a second view of the same region; 0 where that term is disabled."""
        if self._config.weights.steady == 0:
            return decoded.new_zeros(())
        half = {name: values[: -(-len(values) // 2)] for name, values in batch.items()}
        again = self._decoded(self.network.encode(half["again"]).float(), half)
        side = decoded.shape[-1] - 2 * _SEEN_TWICE
        here = _squares(decoded[: len(again)], _SEEN_TWICE + half["moved"], side)
        inside = slice(_SEEN_TWICE, _SEEN_TWICE + side)
        one, other = (
            _opponent(self.network.lapped(each)) for each in (here, again[..., inside, inside])
        )
        return (one - other).abs().mean()

    def _untextured(self, painted: Tensor, target: Tensor, part: Tensor) -> Tensor:
        """Distance of Gram matrices from those of the teacher's pictures; 0 while that term is
        disabled.

        Args:
            part: position of the compared part, (N, 2) in [0, 1]: fractions of the free space that
                lie above and left of it.
        """
        if self.weights(self._progress)["texture"] == 0:
            return painted.new_zeros(())
        side = min(self._config.texture_side, painted.shape[-1])
        room = painted.shape[-1] - side
        corners = (part * (room + 1)).long().clamp(max=room)
        painted, target = (_squares(pictures, corners, side) for pictures in (painted, target))
        with torch.no_grad():
            wanted = self.perceptual(target)
        distances = [
            gram_distance(gram(found), gram(wanted[layer]), _FLAT * found.shape[1])
            for layer, found in self.perceptual(painted).items()
        ]
        return torch.stack(distances).mean()

    def _draw(self, lessons: Lessons, number: int, random: np.random.Generator) -> Sample:
        lesson, side = lessons[number], self._config.side
        room = lesson.content.shape[-1] - side
        top, left = (int(random.integers(room + 1)) for _ in range(2))
        chosen = random.choice(len(lesson.pictures), self._config.styles, replace=False)
        content, pictures, features = cropped(lesson, top, left, side)
        moved = random.integers(-_MOVED, _MOVED + 1, 2)
        below, beside = np.clip(np.array([top, left]) + moved, 0, room)
        return {
            "content": content,
            "again": cropped(lesson, int(below), int(beside), side)[0],
            "moved": torch.tensor([below - top, beside - left]),
            "features": features,
            "pictures": pictures[chosen],
            "matrix": torch.from_numpy(lesson.matrix[chosen]),
            "offset": torch.from_numpy(lesson.offset[chosen]),
        }

    def _own(self, chance: Tensor) -> Tensor:
        """Weight of the student's own features in the decoder's input, 0 to 1; always 1 where
        ``chance`` is 0, as for held-out items."""
        apart, joined = self._config.apart, self._config.joined
        rest = min(1.0, max(0.0, (joined - self._progress) / (joined - apart)))
        given = torch.ones_like(chance) if rest == 1 else rest * chance
        return torch.where(chance > 0, 1 - given, 1.0)


def _squares(pictures: Tensor, corners: Tensor, side: int) -> Tensor:
    """A square of every picture, (N · styles, 3, H, W) → (N · styles, 3, side, side), at the same
    position in all styles of a lesson.

    Args:
        corners: row and column of the upper left corner in each lesson, (N, 2).
    """
    of_lesson = pictures.split(len(pictures) // len(corners))
    squares = [
        each[..., top : top + side, left : left + side]
        for each, (top, left) in zip(of_lesson, corners.tolist(), strict=True)
    ]
    return torch.cat(squares)


def _opponent(bands: Tensor) -> Tensor:
    """Bands of red, green and blue to those of luminance and of two colour differences. Matching
    energy in each primary separately can be satisfied by coloured noise."""
    axes = bands.new_tensor([[1.0, 1.0, 1.0], [1.0, -1.0, 0.0], [1.0, 1.0, -2.0]])
    axes = axes / axes.norm(dim=1, keepdim=True)
    turned: Tensor = torch.einsum("dc,ncbhw->ndbhw", axes, bands.unflatten(1, (3, -1)))
    return turned.flatten(1, 2)


def _energy(bands: Tensor) -> Tensor:
    """Root mean square over a neighbourhood."""
    mean = F.avg_pool2d(bands.square(), _AROUND, 2)
    return (mean + 2e-4).sqrt()
