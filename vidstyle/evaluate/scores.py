"""The scores of an evaluation: measures by name, for each clip and frame, and their means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

#: Label of the plate among the clips.
PLATE = "plate"

#: Explanation of each measure, for reports.
MEANINGS = {
    "e_warp": "warping error (Lai 2018): squared difference to the warped earlier frame",
    "e_warp_excess": "warping error above that of the plate",
    "e_warp_ratio": "warping error over that of the plate; the ratio of the means as a mean",
    "temporal": "temporal error (ReCoNet): root of the warping error of each pair",
    "ssim": "likeness to the plate, 1 is equal (Wang 2004)",
    "lpips": "perceptual distance to the plate, 0 is equal (Zhang 2018)",
    "gram": "style distance: Gram matrices, relative, 0 is the style itself",
    "mean_std": "style distance: means and deviations, relative, 0 is the style itself",
    "detail": "energy of the Laplacian over that of the reference: below 1 is blurred",
}


def named(measure: str, region: str, gap: int | None = None) -> str:
    """The name of a measure in reports: ``ssim.inside``, ``e_warp.gap10.band``."""
    return f"{measure}.{region}" if gap is None else f"{measure}.gap{gap}.{region}"


@dataclass
class Scores:
    """
    Attributes:
        clips: labels, the plate first.
        measures: names from :func:`named`, in the order of tables.
        frames: indices of the frames that were scored.
        missing: why a measure (without gap and region) has no values.
    """

    clips: Sequence[str]
    measures: Sequence[str]
    frames: list[int] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    _rows: list[dict[str, Mapping[str, float]]] = field(default_factory=list)

    def begin(self, frame: int) -> None:
        """Start a frame; subsequent values belong to it."""
        self.frames.append(frame)
        self._rows.append({clip: {} for clip in self.clips})

    def put(self, clip: str, values: Mapping[str, float]) -> None:
        """Add values of a clip in the current frame, by name."""
        self._rows[-1][clip] = {**self._rows[-1][clip], **values}

    def series(self, clip: str, measure: str) -> list[float]:
        """A value for each of ``frames``; NaN if missing."""
        return [row[clip].get(measure, float("nan")) for row in self._rows]

    def mean(self, clip: str, measure: str) -> float:
        """The mean over the frames that have a value; NaN if none has.

        For ratios it is the ratio of the means: in a still shot single plates may have no error.
        """
        if measure.startswith("e_warp_ratio"):
            error = measure.replace("e_warp_ratio", "e_warp")
            floor = self.mean(PLATE, error)
            return self.mean(clip, error) / floor if floor and clip != PLATE else float("nan")
        values = np.array(self.series(clip, measure))
        values = values[np.isfinite(values)]
        return float(values.mean()) if len(values) else float("nan")

    def measured(self) -> list[str]:
        """Measures that have a value for some clip."""
        return [m for m in self.measures if any(np.isfinite(self.mean(c, m)) for c in self.clips)]


def measure_names(
    gaps: Sequence[int], regions: Iterable[str], *, style: bool, detail: bool
) -> list[str]:
    """All measures of an evaluation, in the order of tables."""
    regions = list(regions)
    moving = [
        named(measure, region, gap)
        for gap in gaps
        for measure in ("e_warp", "e_warp_excess", "e_warp_ratio", "temporal")
        for region in regions
    ]
    wanted = ["ssim", "lpips", *(["gram", "mean_std"] if style else [])]
    wanted += ["detail"] if detail else []
    return moving + [named(measure, region) for measure in wanted for region in regions]
