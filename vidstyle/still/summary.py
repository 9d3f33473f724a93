"""Results for each still, as a table and as JSON."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from vidstyle import __version__
from vidstyle.options import RenderOptions, StyledObject
from vidstyle.pipeline.parts import Parts


@dataclass(frozen=True)
class Entry:
    """One still.

    Attributes:
        output: None if none was written.
        status: ``kept`` if the output already existed.
        reason: why it failed.
        size: (height, width).
        covered: share of the picture that is styled.
        ssim, gradient: similarity to the input inside the object, at the greatest strength; None
            if not measured.
    """

    picture: str
    output: str | None
    status: Literal["done", "kept", "failed"]
    reason: str | None = None
    size: tuple[int, int] | None = None
    covered: float | None = None
    ssim: float | None = None
    gradient: float | None = None
    seconds: float | None = None

    def line(self) -> str:
        """The still's line in the table."""
        size = f"{self.size[1]}x{self.size[0]}" if self.size else "–"
        covered = "–" if self.covered is None else f"{self.covered:.0%}"
        numbers = "  ".join(
            f"{'–' if value is None else format(value, '.3f'):>8}"
            for value in (self.ssim, self.gradient)
        )
        told = self.reason or self.output
        return f"{self.status:6}  {size:>10}  {covered:>7}  {numbers}  {told}"


HEAD = f"{'':6}  {'size':>10}  {'covered':>7}  {'ssim':>8}  {'gradient':>8}  output"


def counted(entries: Sequence[Entry]) -> str:
    """The table's last line."""
    counts = Counter(entry.status for entry in entries)
    return ", ".join(f"{counts[status]} {status}" for status in ("done", "kept", "failed"))


def as_json(
    entries: Sequence[Entry],
    objects: Sequence[StyledObject],
    options: RenderOptions,
    parts: Parts,
) -> str:
    """The whole summary as JSON."""
    content = {
        "vidstyle": __version__,
        "objects": [asdict(wanted) for wanted in objects],
        "options": asdict(options),
        "parts": parts.names(),
        "counts": dict(Counter(entry.status for entry in entries)),
        "stills": [asdict(entry) for entry in entries],
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
