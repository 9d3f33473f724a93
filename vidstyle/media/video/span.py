"""A part of a clip in time."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Span:
    """Seconds of a source ``start ≤ time < end``; None for its beginning or end."""

    start: Fraction | None = None
    end: Fraction | None = None

    def meets(self, start: Fraction, end: Fraction) -> bool:
        """Whether ``start ≤ time < end`` overlaps the span."""
        return (self.start is None or end > self.start) and (self.end is None or start < self.end)


WHOLE = Span()
"""All of a source."""
