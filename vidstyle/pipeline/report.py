"""The report of a render."""

import json
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
import torch

from vidstyle import __version__
from vidstyle.errors import QualityError
from vidstyle.options import StyledObject
from vidstyle.pipeline.analysis import Analysis, Take
from vidstyle.pipeline.carrying import proposed
from vidstyle.pipeline.preparation import Preparation, Request
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.nesting import parsed
from vidstyle.runtime.timing import Stages
from vidstyle.segment.mattes.lost import doubtful_ranges
from vidstyle.words import ranges


@dataclass(frozen=True)
class Report:
    """A JSON object: versions, request, choices made, hashes, and seconds per stage."""

    content: dict[str, Any]

    @classmethod
    def of(
        cls,
        request: Request,
        target: str,
        preparation: Preparation,
        take: Take,
        analyses: Sequence[Analysis],
        stages: Stages,
    ) -> Self:
        """The report of a render whose output is complete: nothing here may fail.

        Args:
            analyses: of each object.
        """
        info = take.reader.info
        return cls(
            {
                "vidstyle": __version__,
                "python": platform.python_version(),
                "libraries": _libraries(),
                "input": {
                    "path": request.source,
                    "frames": take.frame_count,
                    "width": info.width,
                    "height": info.height,
                    "rate": str(info.rate),
                    "pixel_format": info.pix_fmt,
                    "damage": {**asdict(take.damage), "short": float(take.damage.short)},
                    "shots": [[shot.start, shot.stop] for shot in take.shots],
                },
                "output": target,
                "objects": [
                    {
                        "object": wanted.object,
                        "style": wanted.style,
                        **_found(analysis, take),
                        **_carried(wanted, analysis, take),
                    }
                    for wanted, analysis in zip(request.objects, analyses, strict=True)
                ],
                "options": asdict(request.options),
                "colour": take.colour.record(),
                "parts": preparation.parts.names(),
                "hashes": preparation.hashes,
                "seconds": {name: round(time, 3) for name, time in stages.seconds.items()},
            }
        )

    def scored(self, quality: Mapping[str, Any]) -> Self:
        """A copy with the findings of quality control, as ``quality``."""
        return type(self)({**self.content, "quality": quality})

    @property
    def doubts(self) -> list[str]:
        """A line for each object with unreliable mattes."""
        return [
            doubt(found["object"], found["doubtful"])
            for found in self.content["objects"]
            if found["doubtful"]
        ]

    def check_quality(self) -> None:
        """
        Raises:
            QualityError: the output fails a threshold; it is complete nevertheless.
        """
        if found := self.content.get("quality", {}).get("failures"):
            raise QualityError(f"{self.content['output']} is written, but {'; '.join(found)}")

    def write(self, path: Path) -> None:
        """Write it as JSON, atomically; errors as in :func:`vidstyle.runtime.atomic.replacing`."""
        write_text(path, json.dumps(self.content, indent=2) + "\n")


def _libraries() -> dict[str, str]:
    """Versions as the libraries report them, whatever package they came in: OpenCV has four."""
    modules = {"torch": torch, "opencv": cv2, "av": av, "numpy": np}
    # Its import takes two seconds, and most renders need none of it.
    if vision := sys.modules.get("torchvision"):
        modules["torchvision"] = vision
    return {name: str(module.__version__) for name, module in modules.items()}


def has_passed(report: str | None) -> bool:
    """Whether there is a report of an output that passed quality control."""
    try:
        content = parsed(json.loads, Path(report or "").read_text(encoding="utf-8"))
        return bool(content["quality"]["failures"] == [])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def doubt(name: str | None, runs: Sequence[tuple[int, int]]) -> str:
    """A warning about an object whose mattes are doubtful in runs of frames (first, last)."""
    return (
        f"{name or 'whole frame'}: doubtful in frames {ranges(runs)}; look at them with "
        "'vidstyle analyse --review', and give a box, point or mask there"
    )


def _found(analysis: Analysis, take: Take) -> dict[str, Any]:
    """Where an object is not seen and where it is doubtful, as runs of frames (first, last); the
    factor it is supersampled by in each shot (None where it is not seen); and the confidence of
    its mattes, 0 to 1, in every frame of the take."""
    frames = range(take.start, take.count)
    return {
        "lost": [list(run) for run in analysis.lost],
        "doubtful": [list(run) for run in doubtful_ranges(analysis.mattes, take.spans)],
        "supersample": [None if each is None else each.factor for each in analysis.transfers],
        "confidence": [round(analysis.mattes.confidence(frame), 2) for frame in frames],
    }


def _carried(wanted: StyledObject, analysis: Analysis, take: Take) -> dict[str, Any]:
    """For an object with painted keys: the keys, how much of it they show, 0 to 1, in every frame
    of the take, and which frames are best painted next."""
    if analysis.carried is None:
        return {}
    shown = analysis.carried.confidences
    return {
        "keys": list(wanted.keys),
        "carried": [round(shown.get(frame, 0.0), 2) for frame in range(take.start, take.count)],
        "paint": proposed(shown),
    }
