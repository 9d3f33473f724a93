"""Line plots as inline SVG."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 560, 200
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 10, 26, 24

#: The plate's, then the results': Okabe and Ito's colour-blind-safe palette.
COLOURS = ("#8a8f98", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def colour(number: int) -> str:
    """Colour of the nth clip; the plate is 0."""
    return COLOURS[0] if number == 0 else COLOURS[1 + (number - 1) % (len(COLOURS) - 1)]


def line_plot(title: str, frames: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    """Values over frames: an ``<svg>`` with a line for each clip.

    Args:
        lines: {label: value per frame}. Lines break at non-finite values; a clip without finite
            values is not drawn, but keeps its colour.
    """
    values = [value for line in lines.values() for value in line if math.isfinite(value)]
    low, high = min(0.0, *values), max(values)
    ticks = _ticks(low, high)
    high = max(high, ticks[-1])

    def x(frame: float) -> float:
        span = max(1, frames[-1] - frames[0])
        return _LEFT + (frame - frames[0]) / span * (_WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (value - low) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [f'<text x="{_LEFT}" y="14" class="title">{escape(title)}</text>']
    for tick in ticks:
        parts.append(
            f'<path d="M{_LEFT} {y(tick):.1f}H{_WIDTH - _RIGHT}" class="grid"/>'
            f'<text x="{_LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:.3g}</text>'
        )
    ends = ((frames[0], "start"), (frames[-1], "end"))
    for frame, anchor in ends[: len(set(frames))]:
        parts.append(
            f'<text x="{x(frame):.1f}" y="{_HEIGHT - 6}" text-anchor="{anchor}">{frame}</text>'
        )
    for number, (label, line) in enumerate(lines.items()):
        path = _path([(x(f), y(v)) for f, v in zip(frames, line, strict=True)])
        if path:
            parts.append(
                f'<path d="{path}" stroke="{colour(number)}" class="line">'
                f"<title>{escape(label)}</title></path>"
            )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(parts)
        + "</svg>"
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A path through the points; an isolated point is drawn as a dot (a zero-length line with round
    caps)."""
    commands, drawing = [], False
    for x, y in points:
        if math.isfinite(y):
            commands.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}" + ("" if drawing else "h0"))
        drawing = math.isfinite(y)
    return "".join(commands)


def _ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers covering ``low`` to ``high``."""
    span = max(high - low, 1e-12)
    power = 10.0 ** math.floor(math.log10(span / 3))
    step = next(power * factor for factor in (1, 2, 5, 10) if span / (power * factor) <= 4)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * number for number in range(first, max(last, first + 1) + 1)]
