"""The contact sheet of a batch: one self-contained HTML file that needs no network."""

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import numpy as np

from vidstyle import __version__
from vidstyle.batch.run import Result
from vidstyle.carry.key import KeyName
from vidstyle.errors import UsageError, VidstyleError
from vidstyle.evaluate.pictures import Picture, bounded, data_url
from vidstyle.media.frame import Frame, full_scale
from vidstyle.media.video.reader import open_clip
from vidstyle.options import StyledObject
from vidstyle.runtime.atomic import write_text
from vidstyle.words import counted

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2127; background: #fff;
       max-width: 1280px; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } p.sum { color: #5b626d; margin-top: .2rem; }
table { border-collapse: collapse; font-size: .87rem; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .9rem .15rem 0; text-align: left; vertical-align: top; }
thead th { border-bottom: 1px solid #1d2127; font-weight: 600; }
td.n { text-align: right; } .wide { overflow-x: auto; }
article { border-top: 1px solid #d5d9df; margin-top: 1.8rem; padding-top: .9rem; }
h2 { font-size: 1.1rem; margin: 0 0 .1rem; } h2 a { color: inherit; text-decoration: none; }
p.facts { font-size: .87rem; color: #5b626d; margin: 0 0 .6rem; overflow-wrap: anywhere; }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem; }
@media (max-width: 640px) { .pictures { grid-template-columns: 1fr; } }
figure { margin: 0; } img { width: 100%; display: block; background: #e4e7eb; }
figcaption { font-size: .82rem; color: #5b626d; }
.styles { display: flex; gap: .8rem; margin-top: .6rem; } .styles figure { width: 120px; }
.state { font-size: .8rem; border-radius: 3px; padding: .05rem .45rem; margin-left: .5rem;
         font-weight: 500; white-space: nowrap; }
.done { background: #e9f6ed; color: #14602f; } .kept { background: #e8eef7; color: #1f4a86; }
.failed { background: #fdeceb; color: #b3261e; } .left { background: #eee; color: #444; }
.note { border-left: 4px solid #c98a00; background: #fdf6e3; padding: .3rem .8rem;
        font-size: .87rem; margin: .5rem 0; overflow-wrap: anywhere; }
.note.failed { border-color: #b3261e; background: #fdeceb; color: inherit; }
"""

_STATES = {
    "done": "rendered",
    "kept": "finished before",
    "failed": "failed",
    "left": "not rendered",
}

#: In every sheet, so that no other page of that name is taken for one.
_MARK = '<meta name="generator" content="vidstyle batch">'


def write_sheet(
    path: Path, results: Sequence[Result], title: str, *, overwrite: bool = False
) -> None:
    """
    Args:
        overwrite: whether a file that is not a contact sheet may be replaced.

    Raises:
        UsageError: such a file is there.
        MediaError: the file cannot be written.
    """
    if path.exists() and not overwrite and not _is_sheet(path):
        raise UsageError(f"{path}: exists, and is no contact sheet; move it, or add --overwrite")
    write_text(path, as_html(results, title))


def _is_sheet(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return _MARK in file.read(1000)
    except OSError:
        return False


def as_html(results: Sequence[Result], title: str) -> str:
    """The page: a table of all shots, then each one's plate and result side by side."""
    counts = ", ".join(
        f"{count} {word}"
        for state, word in _STATES.items()
        if (count := sum(result.state == state for result in results))
    )
    shots = counted(len(results), "shot")
    body = "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            f'<p class="sum">{shots}: {counts} · vidstyle {__version__}</p>',
            *_table(results),
            *(line for number, result in enumerate(results) for line in _shot(number, result)),
        ]
    )
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{_MARK}'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n"
        "</body></html>\n"
    )


def frames_of(result: Result) -> int | None:
    """Number of rendered frames; None if none were."""
    frames = result.report.get("input", {}).get("frames")
    return frames if isinstance(frames, int) else None


def _table(results: Sequence[Result]) -> Iterator[str]:
    rows = "".join(
        f'<tr><td><a href="#shot{number}">{escape(result.name)}</a></td>'
        f'<td><span class="state {result.state}">{_STATES[result.state]}</span></td>'
        f'<td class="n">{frames_of(result) or ""}</td><td class="n">{result.seconds:.1f}</td>'
        f"<td>{escape(_looks(result))}</td></tr>"
        for number, result in enumerate(results)
    )
    heads = "<th>shot</th><th></th><th>frames</th><th>seconds</th><th>objects and styles</th>"
    yield f'<div class="wide"><table><thead><tr>{heads}</tr></thead>'
    yield f"<tbody>{rows}</tbody></table></div>"


def _looks(result: Result) -> str:
    if result.job is None:
        return ""
    looks = [
        f"{wanted.object or 'whole frame'} → {', '.join(map(_name, _pictures_of(wanted)))}"
        for wanted in result.job.objects
    ]
    strength = result.job.options.strength
    return ", ".join(looks) + ("" if strength == 1 else f", strength {strength:g}")


def _shot(number: int, result: Result) -> Iterator[str]:
    state = f'<span class="state {result.state}">{_STATES[result.state]}</span>'
    yield f'<article><h2 id="shot{number}">{escape(result.name)}{state}</h2>'
    yield f'<p class="facts">{escape(" · ".join(_facts(result)))}</p>'
    if result.error is not None:
        yield f'<p class="note failed">{escape(result.error)}</p>'
    for warning in result.warnings:
        yield f'<p class="note">{escape(warning)}</p>'
    if result.error is None and result.job is not None:
        yield from _pictures(result)
    yield "</article>"


def _facts(result: Result) -> Iterator[str]:
    yield result.shot.source or result.shot.name
    if result.job is None:
        return
    frames = frames_of(result)
    if frames:
        first = result.job.options.first or 0
        yield f"frames {first} to {first + frames - 1}"
    yield f"to {Path(result.job.target).name}"
    if result.report:
        parts = result.report.get("parts", {})
        yield ", ".join(f"{part} {name}" for part, name in parts.items())
    yield f"{result.seconds:.1f} s"


def _pictures(result: Result) -> Iterator[str]:
    """The middle frame, before and after, and the styles."""
    assert result.job is not None
    middle = (frames_of(result) or 1) // 2
    first = result.job.options.first or 0
    pair = (
        (result.job.source, first + middle, f"plate, frame {first + middle}"),
        (result.job.target, middle, _looks(result)),
    )
    yield '<div class="pictures">'
    for source, index, caption in pair:
        yield _figure(_still(source, index), caption)
    yield '</div><div class="styles">'
    for name in dict.fromkeys(n for wanted in result.job.objects for n in _pictures_of(wanted)):
        yield _figure(_still(name, 0), _name(name))
    yield "</div>"


def _pictures_of(wanted: StyledObject) -> Iterator[str]:
    """Style picture and painted keys."""
    if wanted.style is not None:
        yield wanted.style
    for key in wanted.keys:
        yield str(KeyName.parsed(key).path)


def _name(path: str) -> str:
    return Path(path).name


def _figure(picture: Picture | None, caption: str) -> str:
    shown = "" if picture is None else f'<img src="{data_url(picture, lossless=False)}" alt="">'
    return f"<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>"


def _still(source: str, index: int) -> Picture | None:
    """A frame, at most as wide as shown on the page; None if it no longer exists."""
    try:
        frame = next(open_clip(source).frames(index, index + 1), None)
    except VidstyleError:
        return None
    return None if frame is None else bounded(_eight_bit(frame))


def _eight_bit(frame: Frame) -> Picture:
    """Code values in 8 bits; scene-linear light gets a plain gamma, just to tell frames apart."""
    unit = frame.image.float() / full_scale(frame.image.dtype)
    if frame.image.is_floating_point():
        unit = unit.clamp(0, 1) ** (1 / 2.2)
    return np.asarray((unit * 255).round().byte().numpy(), np.uint8)
