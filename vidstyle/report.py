"""What a render leaves to be known about it."""

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Self

from vidstyle import __version__, weights
from vidstyle.analysis import Analysis, Take
from vidstyle.atomic import write_text
from vidstyle.errors import QualityError
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.parts import Parts
from vidstyle.style.build import model_identity
from vidstyle.timing import Stages

_LIBRARIES = ("torch", "torchvision", "opencv-python", "av", "numpy")


@dataclass(frozen=True)
class Report:
    """A JSON object: versions, what was asked, what was chosen, hashes, and seconds by stage."""

    content: dict[str, Any]

    @classmethod
    def of(
        cls,
        source: str,
        target: str,
        objects: Sequence[StyledObject],
        analyses: Sequence[Analysis],
        options: RenderOptions,
        parts: Parts,
        take: Take,
        stages: Stages,
    ) -> Self:
        """
        Args:
            analyses: of each object.
        """
        info = take.reader.info
        return cls(
            {
                "vidstyle": __version__,
                "python": platform.python_version(),
                "libraries": {name: version(name) for name in _LIBRARIES},
                "input": {
                    "path": source,
                    "frames": take.frame_count,
                    "width": info.width,
                    "height": info.height,
                    "rate": str(info.rate),
                    "pixel_format": info.pix_fmt,
                    "shots": [[shot.start, shot.stop] for shot in take.shots],
                },
                "output": target,
                "objects": [
                    {**asdict(wanted), **_found(analysis, take)}
                    for wanted, analysis in zip(objects, analyses, strict=True)
                ],
                "options": asdict(options),
                "colour": take.colour.record(),
                "parts": parts.names(),
                "hashes": {
                    "model": model_identity(parts.model),
                    "styles": {
                        wanted.style: weights.sha256(Path(wanted.style)) for wanted in objects
                    },
                },
                "seconds": {name: round(time, 3) for name, time in stages.seconds.items()},
            }
        )

    def scored(self, quality: Mapping[str, Any]) -> Self:
        """With what quality control found, as ``quality``."""
        return type(self)({**self.content, "quality": quality})

    def check_quality(self) -> None:
        """
        Raises:
            QualityError: the output does not keep a threshold. It is whole all the same.
        """
        if found := self.content.get("quality", {}).get("failures"):
            raise QualityError(f"{self.content['output']} is written, but {'; '.join(found)}")

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all; errors as of :func:`vidstyle.atomic.replacing`."""
        write_text(path, json.dumps(self.content, indent=2) + "\n")


def has_passed(report: str | None) -> bool:
    """Whether a report is there that tells of an output without fault."""
    try:
        content = json.loads(Path(report or "").read_text(encoding="utf-8"))
        return bool(content["quality"]["failures"] == [])
    except (OSError, ValueError, LookupError, TypeError):
        return False


def _found(analysis: Analysis, take: Take) -> dict[str, Any]:
    """Where an object is not seen, as runs of frames (first, last), and how far its mattes can be
    relied on, 0 to 1, in every frame of the take."""
    frames = range(take.start, take.count)
    return {
        "lost": [list(run) for run in analysis.lost],
        "confidence": [round(analysis.mattes.confidence(frame), 2) for frame in frames],
    }
