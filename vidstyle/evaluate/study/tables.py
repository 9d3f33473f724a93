"""A study's outcome as text, JSON and a plot."""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from html import escape

from vidstyle import __version__
from vidstyle.evaluate.plot import COLOURS
from vidstyle.evaluate.study.preference import CONFIDENCE, Preferences, Rate
from vidstyle.evaluate.study.study import Study
from vidstyle.words import counted

_WIDTH, _ROW, _MARGIN = 640, 26, 20
_LETTER = 8  # pixels, about


def as_text(study: Study, found: Preferences) -> str:
    """Methods, best first; then every pair of them."""
    return "\n".join(_lines(study, found))


def _lines(study: Study, found: Preferences) -> Iterator[str]:
    first = max(len("method"), *map(len, study.methods))
    both = max(len(" over ".join(pair.methods)) for pair in found.pairs)
    percent = f"{CONFIDENCE:.0%}"
    yield study.question
    yield (
        f"{counted(found.votes, 'vote')} of {counted(found.raters, 'rater')} on "
        f"{counted(len(study.items), 'item')}"
    )
    yield ""
    yield f"{'method':{first}}  {'preferred':>9}  {percent:^15}  {'strength':>8}  {percent:^15}"
    for score in found.scores:
        between = f"{score.low:.2f} to {score.high:.2f}" if math.isfinite(score.low) else "–"
        yield (
            f"{score.method:{first}}  {score.rate.value:9.1%}  {_between(score.rate):^15}  "
            f"{score.strength:8.2f}  {between:^15}"
        )
    yield ""
    yield (
        f"{'pair':{both}}  {'votes':>11}  {'preferred':>9}  {percent:^15}  {'sign test':>9}  "
        f"{'corrected':>9}"
    )
    for pair in found.pairs:
        votes = ":".join(map(str, pair.wins[:2])) + f" ({pair.wins[2]})"
        yield (
            f"{' over '.join(pair.methods):{both}}  {votes:>11}  {pair.rate.value:9.1%}  "
            f"{_between(pair.rate):^15}  {pair.p:9.2g}  {pair.q:9.2g}"
        )
    yield ""
    yield f"the left one won {found.left.value:.1%} ({_between(found.left)})"


def as_json(study: Study, found: Preferences) -> str:
    """The whole outcome; null for unknown intervals."""
    told = asdict(found)
    for score in told["scores"]:
        for end in ("low", "high"):
            score[end] = score[end] if math.isfinite(score[end]) else None
    content = {
        "vidstyle": __version__,
        "question": study.question,
        "items": [item.name for item in study.items],
        "confidence": CONFIDENCE,
        **told,
    }
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def as_svg(study: Study, found: Preferences) -> str:
    """A dot for each method's strength and for each pair's rate, with their intervals."""
    scores = [(s.method, s.strength, s.low, s.high) for s in found.scores]
    reach = 1.1 * max([abs(x) for row in scores for x in row[1:] if math.isfinite(x)], default=1)
    rates = [(" over ".join(p.methods), p.rate.value, p.rate.low, p.rate.high) for p in found.pairs]
    start = 30 + _LETTER * max(len(label) for label, *_ in rates)
    reach = reach or 1
    above = _panel("strength (Bradley–Terry)", scores, (-reach, reach), "{:.2f}", start)
    below = _panel("preferred", rates, (0, 1), "{:.0%}", start)
    width = start + _WIDTH
    shift = _ROW * (len(scores) + 3)
    height = shift + _ROW * (len(rates) + 3)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="system-ui, sans-serif" font-size="13">'
        f"<title>{escape(study.question)}</title>"
        f'<rect width="100%" height="100%" fill="#fff"/>{above}'
        f'<g transform="translate(0 {shift})">{below}</g></svg>\n'
    )


def _panel(
    title: str,
    rows: list[tuple[str, float, float, float]],
    ends: tuple[float, float],
    form: str,
    start: int,
) -> str:
    """A dot and its interval for each (label, value, low, high), on an axis between ``ends``."""
    low, high = ends

    def x(value: float) -> float:
        return start + (value - low) / (high - low) * (_WIDTH - _MARGIN)

    bottom = _ROW * (len(rows) + 1) + 6
    middle = (low + high) / 2
    parts = [f'<text x="{start}" y="18" font-weight="600">{escape(title)}</text>']
    for tick in (low, middle, high):
        dash = ' stroke-dasharray="4 3"' if tick == middle else ""
        parts.append(
            f'<path d="M{x(tick):.1f} {_ROW}V{bottom}" stroke="#c9cdd3"{dash}/>'
            f'<text x="{x(tick):.1f}" y="{bottom + 16}" text-anchor="middle" fill="#5b626d">'
            f"{form.format(tick)}</text>"
        )
    for number, (label, value, least, most) in enumerate(rows, 1):
        y = _ROW * (number + 0.5)
        parts.append(
            f'<text x="{start - 12}" y="{y + 5:.0f}" text-anchor="end">{escape(label)}</text>'
        )
        if math.isfinite(least):
            parts.append(
                f'<path d="M{x(least):.1f} {y}H{x(most):.1f}" stroke="{COLOURS[1]}" '
                'stroke-width="2"/>'
            )
        parts.append(
            f'<circle cx="{x(value):.1f}" cy="{y}" r="5" fill="{COLOURS[1]}">'
            f"<title>{form.format(value)}</title></circle>"
        )
    return "".join(parts)


def _between(rate: Rate) -> str:
    return f"{rate.low:.1%} to {rate.high:.1%}"
