"""Correspondence of the pixels of two frames, from sources independent of the render."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import torch
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.media.picture import read_by_opencv
from vidstyle.motion.dis import DisFlow
from vidstyle.motion.estimator import FlowEstimator, both_ways
from vidstyle.motion.occlusion import valid
from vidstyle.motion.warp import inside, warp

_log = logging.getLogger(__name__)

#: Largest difference, in pixels, of neighbouring true flows that may be interpolated.
_SMOOTH = 0.1


@dataclass(frozen=True)
class Correspondence:
    """Correspondence between a frame and an earlier one.

    Attributes:
        flow: (1, 2, H, W) in pixels, on the grid of the reference frame.
        mask: (1, 1, H, W), 1 where the point is visible in both frames.
        from_earlier: the reference frame is the earlier one, and the flow points forward.
    """

    flow: Tensor
    mask: Tensor
    from_earlier: bool = False


class Judge(Protocol):
    """Provides the correspondence of frames.

    Attributes:
        name: for the log and the report.
    """

    @property
    def name(self) -> str: ...

    def between(self, earlier: Tensor, later: Tensor, index: int, gap: int) -> Correspondence:
        """
        Args:
            earlier, later: plates, (1, 3, H, W) in [0, 1].
            index: of the later frame in the clip.
            gap: index of the later frame minus that of the earlier one.

        Raises:
            MediaError: the ground truth of this pair is missing or unusable.
        """
        ...


class EstimatedFlow:
    """An estimator with a forward-backward check (Ruder 2016)."""

    def __init__(self, estimator: FlowEstimator) -> None:
        self._estimator = estimator
        self.name = estimator.name

    def between(
        self,
        earlier: Tensor,
        later: Tensor,
        index: int,  # noqa: ARG002 - the pictures suffice
        gap: int,  # noqa: ARG002
    ) -> Correspondence:
        """See :meth:`Judge.between`."""
        forward, backward = both_ways(self._estimator, earlier, later)
        return Correspondence(backward, valid(forward, backward))


class TrueFlow:
    """Ground truth: a folder of .flo files (Middlebury's format) between neighbouring frames.

    Either of two layouts:

    * ``backward.0001.flo``, from frame 1 to 0, with ``backward-shown.0001.png``, white where both
      show the point, as written by ``examples/make_shot.py --truth``;
    * one sequence of forward flows, ``frame_0001.flo`` from frame 1 to 2, as in MPI-Sintel; its
      maps may lie in the subfolders ``occlusions`` and ``invalid``, white where the flow is
      invalid.

    Without maps, a flow is valid where one estimated in the opposite direction (DIS) agrees.
    Over several frames, flows are chained from frame to frame.
    """

    def __init__(self, folder: Path, first_number: int) -> None:
        """
        Args:
            first_number: number of the clip's frame 0 in file names.

        Raises:
            MediaError: there are no flows in the folder.
        """
        self.name = f"ground truth of {folder}"
        files = [file for file in folder.glob("*.flo") if re.search(r"\d", file.stem)]
        backward = [file for file in files if file.stem.startswith("backward")]
        self._backward = bool(backward)
        self._files = {_number(file): file for file in backward or files}
        self._folder, self._offset = folder, first_number
        self._estimator = DisFlow(540)
        if not files:
            raise MediaError(f"--flow {folder}: no numbered .flo files in it; name their folder")
        if not self._maps(next(iter(self._files.values()))):
            _log.info(
                "flow: no occlusion maps in %s; the true flow counts where DIS agrees with it",
                folder,
            )

    def between(self, earlier: Tensor, later: Tensor, index: int, gap: int) -> Correspondence:
        """See :meth:`Judge.between`."""
        indices = range(index, index - gap, -1) if self._backward else range(index - gap, index)
        steps = [self._step(each + self._offset, later.shape[-2:]) for each in indices]
        flow, mask = followed(steps)
        mapped = any(shown is not None for _, shown in steps)
        if not mapped:
            here, there = (later, earlier) if self._backward else (earlier, later)
            mask = mask * valid(self._estimator(there, here), flow)
        return Correspondence(flow, mask, from_earlier=not self._backward)

    def _step(self, number: int, size: torch.Size) -> tuple[Tensor, Tensor | None]:
        """Flow (1, 2, H, W) of one frame, and its validity (1, 1, H, W); None if unknown."""
        file = self._files.get(number)
        if file is None:
            raise MediaError(f"--flow {self._folder}: no flow of frame {number}; use --in, --out")
        try:
            values = cv2.readOpticalFlow(str(file))
        except cv2.error:
            values = None
        if values is None or values.shape[:2] != tuple(size):
            raise MediaError(f"{file}: not a flow of {size[1]}×{size[0]} pixels; export it again")
        shown: Tensor | None = None
        for path, good in self._maps(file).items():
            picture = read_by_opencv(path, cv2.IMREAD_GRAYSCALE)
            if picture.shape != tuple(size):
                raise MediaError(f"{path}: not a map of {size[1]}×{size[0]} pixels")
            holds = (torch.from_numpy(picture)[None, None] > 250).float()
            holds = holds if good else 1 - holds
            shown = holds if shown is None else shown * holds
        return torch.from_numpy(values).movedim(-1, 0)[None], shown

    def _maps(self, file: Path) -> dict[Path, bool]:
        """Existing maps of a flow: path, and whether white means valid."""
        shown = file.with_name(file.name.replace("backward", "backward-shown"))
        candidates = {
            **({shown.with_suffix(".png"): True} if self._backward else {}),
            self._folder / "occlusions" / f"{file.stem}.png": False,
            self._folder / "invalid" / f"{file.stem}.png": False,
        }
        return {path: good for path, good in candidates.items() if path.is_file()}


def followed(steps: list[tuple[Tensor, Tensor | None]]) -> tuple[Tensor, Tensor]:
    """Flow over several frames, chained from flows between neighbours with their validity.

    Args:
        steps: flow (1, 2, H, W) and mask (1, 1, H, W) or None, in the order of traversal.

    Returns:
        Flow and mask on the grid of the first. A path that meets a flow discontinuity is invalid.
    """
    flow, shown = steps[0]
    mask = inside(flow) if shown is None else shown * inside(flow)
    for step, shown in steps[1:]:
        onward = warp(step, flow, "bilinear")
        jump = (onward - warp(step, flow, "nearest")).abs().amax(dim=1, keepdim=True)
        mask = mask * (jump < _SMOOTH)
        if shown is not None:
            mask = mask * (warp(shown, flow, "bilinear") > 0.98)
        flow = flow + onward
        mask = mask * inside(flow)
    return flow, mask


def _number(file: Path) -> int:
    return int(re.findall(r"\d+", file.stem)[-1])
