"""Thresholds that a result must meet, so that a farm task can fail otherwise."""

import difflib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from vidstyle.errors import QualityError, UsageError
from vidstyle.evaluate.scores import PLATE, Scores


@dataclass(frozen=True)
class Threshold:
    """The largest, or smallest, allowed mean of a measure.

    Attributes:
        largest: whether ``limit`` is the largest.
    """

    measure: str
    limit: float
    largest: bool = True

    @classmethod
    def parse(cls, text: str, known: Sequence[str], largest: bool = True) -> Self:
        """``e_warp.gap1.inside=0.004``.

        Args:
            known: the available measures.

        Raises:
            UsageError: unknown measure, or not a number.
        """
        option = "--fail-above" if largest else "--fail-below"
        measure, _, value = text.partition("=")
        try:
            limit = float(value)
        except ValueError:
            limit = math.nan
        if math.isnan(limit):
            raise UsageError(f"{option} {text}: give NAME=NUMBER, such as {known[0]}=0.004")
        if measure not in known:
            near = difflib.get_close_matches(measure, known, 3, 0.3) or known[:3]
            raise UsageError(
                f"{option} {text}: {measure} is not measured here; try {', '.join(near)}"
            )
        return cls(measure, limit, largest)

    def keeps(self, mean: float) -> bool:
        """Whether a mean meets the threshold; False for NaN."""
        return mean <= self.limit if self.largest else mean >= self.limit


def failures(thresholds: Sequence[Threshold], scores: Scores) -> list[str]:
    """A message for each result and threshold that it fails.

    Measures without a value fail too: an unattended gate must not stay open.
    """
    found = []
    for threshold in thresholds:
        for clip in scores.clips:
            mean = scores.mean(clip, threshold.measure)
            if clip == PLATE or threshold.keeps(mean):
                continue
            parts = threshold.measure.split(".")
            reasons = (scores.missing[part] for part in parts if part in scores.missing)
            reason = next(reasons, "no frame has it")
            was = f"could not be measured ({reason})" if math.isnan(mean) else f"is {mean:.4g}"
            limit = f"{'at most' if threshold.largest else 'at least'} {threshold.limit:g}"
            found.append(f"{clip}: {threshold.measure} {was}, wanted {limit}")
    return found


def check(thresholds: Sequence[Threshold], scores: Scores) -> None:
    """
    Raises:
        QualityError: a result fails a threshold.
    """
    if found := failures(thresholds, scores):
        raise QualityError("; ".join(found))
