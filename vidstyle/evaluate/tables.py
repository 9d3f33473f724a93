"""Scores as text, JSON and CSV."""

import csv
import io
import json
import math
from typing import Any

from vidstyle import __version__
from vidstyle.evaluate.evaluation import Evaluation
from vidstyle.evaluate.gate import failures
from vidstyle.evaluate.regions import PARTS, WHOLE
from vidstyle.evaluate.scores import PLATE, Scores
from vidstyle.evaluate.verdict import sentences


def as_text(scores: Scores) -> str:
    """Means with a row per measure and a column per clip, reasons for missing ones, verdicts."""
    names = scores.measured()
    first = max(map(len, ["mean of frames", *names]))
    width = max(10, *map(len, scores.clips))
    lines = [f"{'mean of frames':{first}}" + "".join(f"  {c:>{width}}" for c in scores.clips)]
    for name in names:
        cells = "".join(f"  {shown(scores.mean(clip, name)):>{width}}" for clip in scores.clips)
        lines.append(f"{name:{first}}{cells}")
    lines += [f"{name}: {reason}" for name, reason in scores.missing.items()]
    lines += [f"{clip}: {sentence}" for clip, sentence in sentences(scores).items()]
    return "\n".join(lines)


def shown(value: float) -> str:
    """Four digits; a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.4g}"


def as_json(done: Evaluation) -> str:
    """:func:`as_content` as JSON."""
    content = as_content(done)
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_content(done: Evaluation) -> dict[str, Any]:
    """What was compared, means, and a value for each frame; None if missing."""
    scores, names = done.scores, done.scores.measured()
    return {
        "vidstyle": __version__,
        **done.facts,
        "frames": scores.frames,
        "missing": scores.missing,
        "verdict": sentences(scores),
        "failures": failures(done.thresholds, scores),
        "means": {
            clip: {name: _or_null(scores.mean(clip, name)) for name in names}
            for clip in scores.clips
        },
        "per_frame": {
            clip: {name: [_or_null(v) for v in scores.series(clip, name)] for name in names}
            for clip in scores.clips
        },
    }


def as_csv(scores: Scores) -> str:
    """A row for each frame and clip, a column for each measure; missing values are empty."""
    names = scores.measured()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["frame", "clip", *names])
    for clip in scores.clips:
        columns = [scores.series(clip, name) for name in names]
        for frame, *values in zip(scores.frames, *columns, strict=True):
            writer.writerow([frame, clip, *("" if math.isnan(v) else repr(v) for v in values)])
    return text.getvalue()


#: Measures by which the unstyled plate is best: they cannot favour a result that is less styled.
OF_DOING_LITTLE = ("e_warp", "temporal", "ssim", "lpips")

# Style distances up to this factor above the smallest count as equal.
_AS_STYLED = 1.05


def best(scores: Scores, measure: str) -> str | None:
    """The result with the best mean; None if fewer than two differ, and for detail, which may be
    too low or too high.

    For measures by which the unstyled plate is best, None unless the winner is styled as strongly
    as the others, or if style was not measured.
    """
    if measure.startswith("detail"):
        return None
    means = _means(scores, measure)
    if len(set(means.values())) < 2:
        return None
    choose = max if measure.startswith("ssim") else min
    winner = choose(means, key=lambda clip: means[clip])
    if measure.startswith(OF_DOING_LITTLE):
        distances = _means(scores, _style_of(scores))
        if not distances or distances[winner] > _AS_STYLED * min(distances.values()):
            return None
    return winner


def _style_of(scores: Scores) -> str:
    """Name of the relevant style distance: inside the object, if there is one."""
    measured = scores.measured()
    return next((n for n in (f"gram.{PARTS[0]}", f"gram.{WHOLE}") if n in measured), "")


def _means(scores: Scores, measure: str) -> dict[str, float]:
    """Means of the results that have one."""
    means = {c: scores.mean(c, measure) for c in scores.clips if c != PLATE and measure}
    return {clip: mean for clip, mean in means.items() if not math.isnan(mean)}


def _or_null(value: float) -> float | None:
    return value if math.isfinite(value) else None
