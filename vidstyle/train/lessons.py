"""The teacher's outputs for distillation, computed once and kept on disk, so that a training step
runs only the student.

A lesson is a photograph, the teacher's features of it, and pictures that the teacher decoded from
those features after transforming them to some styles. Features are stored and transformed in their
principal components, as many as the student has channels. The remaining ones make no visible
difference (128 of 512 components of relu4_1, 89 % of the variance, paint the same as all).
"""

import json
import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from vidstyle.errors import UsageError, WeightsError
from vidstyle.models.weights import load_tensors
from vidstyle.runtime.atomic import replacing, write_text
from vidstyle.style.network import GRID, StyleNetwork
from vidstyle.style.transform import AffineMap, Statistics, transport
from vidstyle.train.config import LessonConfig
from vidstyle.train.data import Crops

#: Random streams: samples for components, styles, lessons, samples for axes.
_COMPONENTS, _STYLES, _LESSONS, _AXES = range(4)

#: One picture in this many is transformed only part of the way to its style, so that the student
#: also learns intermediate strengths.
_HALFWAY = 8

#: Range of a whole style picture's shorter side, in multiples of a lesson's side.
_WHOLE = (0.8, 1.6)

#: File beside the lessons that says what they were made from.
_MADE_FROM = "made_from.json"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Components:
    """Principal components of a teacher's features, of unit mean variance.

    Attributes:
        mean: (C, 1).
        basis: orthonormal, (C, K).
        scale: divisor of the components.
    """

    mean: Tensor
    basis: Tensor
    scale: Tensor

    def of(self, features: Tensor) -> Tensor:
        """(N, C, h, w) → (N, K, h, w)."""
        flat: Tensor = self.basis.mT @ (features.flatten(2) - self.mean) / self.scale
        return flat.unflatten(2, features.shape[2:])  # type: ignore[no-any-return]

    def undone(self, components: Tensor) -> Tensor:
        """(N, K, h, w) → (N, C, h, w): features with these components, all others zero."""
        flat: Tensor = self.basis @ (components.flatten(2) * self.scale) + self.mean
        return flat.unflatten(2, components.shape[2:])  # type: ignore[no-any-return]

    def turned(self, own: Tensor, wanted: Tensor) -> "Components":
        """The same space in axes aligned with another network's features: rotated, scaled and
        shifted by the orthogonal Procrustes fit (Schönemann 1966).

        Args:
            own, wanted: these components and the other features at the same cells, (K, n) each.
        """
        ours, theirs = own.double(), wanted.double()
        middle, goal = ours.mean(1, keepdim=True), theirs.mean(1, keepdim=True)
        left, sizes, right = torch.linalg.svd((theirs - goal) @ (ours - middle).mT)
        turn = left @ right
        gain = sizes.sum() / (ours - middle).square().sum()
        basis, scale = self.basis.double() @ turn.mT, self.scale.double() / gain
        mean = self.mean.double() - basis @ (goal - gain * turn @ middle) * scale
        return Components(mean.float(), basis.float().contiguous(), scale.float())


@dataclass(frozen=True)
class Lesson:
    """
    Attributes:
        content: (3, side, side) uint8.
        features: its components, (K, side/8, side/8) float16.
        pictures: the teacher's result in each style, (styles, 3, side, side) uint8.
        matrix, offset: of the map to each style, (styles, K, K) and (styles, K) float32.
    """

    content: np.ndarray
    features: np.ndarray
    pictures: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray


class Lessons:
    """Lessons in a folder, by number."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder, self._count = folder, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Lesson:
        """
        Raises:
            WeightsError: the file is damaged.
        """
        path = self._folder / f"{number:06d}.npz"
        try:
            with np.load(path) as stored:
                return Lesson(**stored)
        except (OSError, ValueError, TypeError, EOFError) as error:
            raise WeightsError(f"{path}: damaged ({error}); delete it and resume") from None


def renew(folder: Path, made_from: Mapping[str, Any]) -> None:
    """Remove the lessons in a folder if they were made from something else.

    Args:
        folder: of lessons and components; created if missing.
        made_from: everything that they depend on, as plain values.
    """
    told, kept = json.dumps(made_from, sort_keys=True), folder / _MADE_FROM
    if kept.exists() and kept.read_bytes() == told.encode():
        return
    if folder.exists():
        log.info("lessons: from another teacher, data or settings; written again")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    write_text(kept, told)


class LessonWriter:
    """Writes a teacher's lessons that do not exist yet.

    All lessons of one writer share the principal components of the teacher's features.
    """

    def __init__(
        self,
        teacher: StyleNetwork,
        ridge: float,
        channels: int,
        config: LessonConfig,
        *,
        seed: int,
        device: torch.device,
        student: StyleNetwork | None = None,
        half: bool = False,
    ) -> None:
        """
        Args:
            ridge: of the teacher's transform.
            channels: of the student's features.
            student: an already trained one on the CPU: components are rotated to the axes that it
                uses. None for an untrained one.
            half: the teacher runs in bfloat16; its pictures are 59 dB from float32's.

        Raises:
            UsageError: the teacher has fewer channels than the student.
        """
        if teacher.channels < channels:
            raise UsageError(
                f"features = {channels}: the teacher has {teacher.channels} channels only; lower "
                "features to that, or take another teacher"
            )
        self._teacher = teacher.to(memory_format=teacher.order).to(device)
        self._teacher.eval().requires_grad_(False)
        self._ridge, self._channels, self._config = ridge, channels, config
        self._seed, self._device, self._student = seed, device, student
        self._half = torch.autocast(device.type, torch.bfloat16, enabled=half)
        self._components: Components | None = None

    def write(
        self,
        folder: Path,
        crops: Crops,
        paintings: Crops,
        count: int,
        advance: Callable[[int], None],
    ) -> Lessons:
        """
        Args:
            folder: created if missing.
            crops: of photographs; paintings: of style pictures; both of ``config.side``. The first
                call computes components from them, unless the parent folder holds some.
            count: number of lessons.
            advance: called after each lesson.

        Raises:
            MediaError: a picture cannot be read.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if self._components is None:
            kept = folder.parent / "components.safetensors"
            self._components = self._found_components(crops, paintings, kept)
        styles: list[Statistics] = []
        for number in range(count):
            path = folder / f"{number:06d}.npz"
            if not path.exists():
                styles = styles or [
                    self._statistics(paintings, each) for each in range(self._config.styles)
                ]
                with replacing(path) as file:
                    np.savez(file, **vars(self._lesson(crops, styles, number)))
            advance(1)
        return Lessons(folder, count)

    @torch.inference_mode()
    def _lesson(self, crops: Crops, styles: Sequence[Statistics], number: int) -> Lesson:
        random = self._random(_LESSONS, number)
        components = self._components
        assert components is not None
        content = _code(crops.plain(random)[:3])
        features = self._seen(content.float() / 255)
        statistics = Statistics.gather(features)
        pictures, maps = [], []
        for _ in range(self._config.pictures):
            style = self._chosen(styles, random)
            part = float(random.random()) if random.integers(_HALFWAY) == 0 else 1.0
            to_style = transport(statistics, style, self._ridge).to(self._device)
            identity = torch.eye(len(to_style.matrix), device=self._device)
            matrix = torch.lerp(identity, to_style.matrix, part)
            offset = part * to_style.offset[..., 0]
            moved = AffineMap(matrix, torch.zeros_like(offset), offset)(features)
            with self._half:
                picture = self._teacher.decode(components.undone(moved))
            pictures.append(_code(picture[0].float().clamp(0, 1).cpu()))
            maps.append((matrix, offset))
        return Lesson(
            content=content.numpy(),
            features=features[0].half().cpu().numpy(),
            pictures=torch.stack(pictures).numpy(),
            matrix=torch.stack([matrix for matrix, _ in maps]).cpu().numpy(),
            offset=torch.stack([offset for _, offset in maps]).cpu().numpy(),
        )

    def _chosen(self, styles: Sequence[Statistics], random: np.random.Generator) -> Statistics:
        """One of the styles, or a mix of two, since paintings are few."""
        style, other = (styles[int(random.integers(len(styles)))] for _ in range(2))
        if random.random() >= self._config.mixed:
            return style
        part = float(random.random())
        return style.weighing(1 - part) + other.weighing(part)

    def _seen(self, picture: Tensor) -> Tensor:
        assert self._components is not None
        with self._half:
            features = self._teacher.encode(picture[None].to(self._device))
        return self._components.of(features.float())

    @torch.inference_mode()
    def _statistics(self, paintings: Crops, number: int) -> Statistics:
        random = self._random(_STYLES, number)
        is_whole = random.random() < self._config.whole
        style = paintings.varied(random, whole=_WHOLE if is_whole else None)
        return Statistics.gather(self._seen(style))

    @torch.inference_mode()
    def _found_components(self, crops: Crops, paintings: Crops, path: Path) -> Components:
        """Components of photographs and paintings alike; saved for runs that are resumed."""
        if path.exists():
            stored = load_tensors(path)
            return Components(**{name: tensor.to(self._device) for name, tensor in stored.items()})
        random = self._random(_COMPONENTS, 0)
        total = None
        for kind in (crops, paintings):
            for _ in range(self._config.samples):
                crop = kind.plain(random)[None, :3].to(self._device)
                seen = Statistics.gather(self._teacher.encode(crop))
                total = seen if total is None else total + seen
        assert total is not None
        values, vectors = torch.linalg.eigh(total.covariance)
        kept = values[-self._channels :]
        log.info(
            "teacher: %d components hold %.1f%% of its features' variance",
            *(self._channels, 100 * kept.sum() / values.sum()),
        )
        components = Components(
            total.mean.float()[:, None],
            vectors[:, -self._channels :].flip(1).float().contiguous(),
            kept.mean().sqrt().float(),
        )
        if self._student is not None:
            components = self._in_axes_of(self._student, components, (crops, paintings))
        tensors = {name: tensor.cpu() for name, tensor in vars(components).items()}
        with replacing(path) as file:
            file.write(safetensors.torch.save(tensors))
        return components

    def _in_axes_of(
        self, student: StyleNetwork, components: Components, kinds: Sequence[Crops]
    ) -> Components:
        random = self._random(_AXES, 0)
        own, wanted = [], []
        for kind in kinds:
            for _ in range(self._config.samples):
                crop = kind.plain(random)[None, :3]
                seen = components.of(self._teacher.encode(crop.to(self._device)))
                own.append(seen[0].flatten(1).cpu())
                wanted.append(student.encode(crop)[0].flatten(1))
        return components.turned(
            torch.cat(own, 1).to(self._device), torch.cat(wanted, 1).to(self._device)
        )

    def _random(self, stream: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self._seed, stream, number))


def cropped(lesson: Lesson, top: int, left: int, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """The same crop of a lesson's photograph, features and pictures.

    It need not be aligned to the grid of the features, which are interpolated: the student's result
    for a region must not depend on its position on the grid, or strokes would crawl while an object
    moves.

    Returns:
        (3, side, side) and (styles, 3, side, side) in [0, 1], and (K, side/8, side/8).
    """
    rows, columns = slice(top, top + side), slice(left, left + side)
    content = torch.from_numpy(lesson.content[:, rows, columns].astype(np.float32) / 255)
    pictures = torch.from_numpy(lesson.pictures[..., rows, columns].astype(np.float32) / 255)
    features = lesson.features.astype(np.float32)
    for axis, start in ((1, top), (2, left)):
        features = _interpolated(features, start / GRID, side // GRID, axis)
    return content, pictures, torch.from_numpy(features)


def _interpolated(features: np.ndarray, start: float, count: int, axis: int) -> np.ndarray:
    """``count`` cells from ``start`` on, linearly interpolated."""
    first, part = int(start), start % 1
    cells = np.arange(first, first + count)
    after = np.minimum(cells + 1, features.shape[axis] - 1)
    here, there = features.take(cells, axis), features.take(after, axis)
    between: np.ndarray = here + np.float32(part) * (there - here)
    return between


def _code(picture: Tensor) -> Tensor:
    return (picture * 255).round().byte()
