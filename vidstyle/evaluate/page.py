"""The report as a self-contained HTML file."""

import re
from collections.abc import Iterator, Sequence
from html import escape

from vidstyle import __version__
from vidstyle.evaluate.evaluation import Evaluation
from vidstyle.evaluate.gate import failures
from vidstyle.evaluate.pictures import SLICE_FRAMES, Picture, bounded, data_url
from vidstyle.evaluate.plot import colour, line_plot
from vidstyle.evaluate.scores import MEANINGS
from vidstyle.evaluate.tables import best, shown
from vidstyle.evaluate.verdict import main_region, sentences

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #1d2127; background: #fff;
       max-width: 1180px; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p, dl { max-width: 50rem; } dl { display: grid; grid-template-columns: max-content 1fr;
     gap: 0 1rem; font-size: .87rem; } dt { color: #5b626d; } dd { margin: 0; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
td, th { padding: .12rem .8rem; text-align: right; } th:first-child { text-align: left; }
thead th { border-bottom: 1px solid #1d2127; } tbody tr.new th, tbody tr.new td {
     border-top: 1px solid #d5d9df; } tbody th { font-weight: normal; }
td.best { font-weight: 600; } .wide { overflow-x: auto; }
.key span { margin-right: 1.2rem; } .key i { display: inline-block; width: 1.4rem; height: .25rem;
     vertical-align: middle; margin-right: .4rem; }
.grid2 { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 1rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(260px, 1fr));
     gap: .8rem; margin-bottom: .8rem; }
figure { margin: 0; } img { width: 100%; display: block; } figcaption { font-size: .82rem;
     color: #5b626d; } .slice img { image-rendering: pixelated; }
svg { width: 100%; font: 11px system-ui, sans-serif; fill: #5b626d; }
svg .title { font-size: 13px; fill: #1d2127; } svg .grid { stroke: #e4e7eb; fill: none; }
svg .line { fill: none; stroke-width: 1.6; stroke-linecap: round; stroke-linejoin: round; }
.verdict { font-size: 1.05rem; max-width: 60rem; }
.fail { border-left: 4px solid #b3261e; padding: .4rem .8rem; background: #fdeceb; }
.pass { border-left: 4px solid #1b7f3b; padding: .4rem .8rem; background: #e9f6ed; }
"""


def as_html(done: Evaluation) -> str:
    """The page: a verdict for each result, thresholds, and the worst frames; then flicker maps,
    slices, means, values over time, the first frame, and what was compared."""
    title = f"Evaluation of {', '.join(done.scores.clips[1:])}"
    body = "\n".join(
        [f"<h1>{escape(title)}</h1>", *_verdict(done), *_gate(done), *_worst(done), *_maps(done),
         *_slices(done), *_table(done), *_plots(done), *_first(done), *_facts(done)]
    )  # fmt: skip
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n{body}\n"
        "</body></html>\n"
    )


def _facts(done: Evaluation) -> Iterator[str]:
    frames = done.scores.frames
    facts = {
        **done.facts,
        "frames": f"{len(frames)} scored, {frames[0]} to {frames[-1]}",
        "vidstyle": __version__,
    }
    terms = (f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts.items())
    yield "<h2>What was compared</h2>"
    yield f"<dl>{''.join(terms)}</dl>"


def _verdict(done: Evaluation) -> Iterator[str]:
    for clip, sentence in sentences(done.scores).items():
        yield f'<p class="verdict"><strong>{escape(clip)}</strong>: {escape(sentence)}</p>'


def _gate(done: Evaluation) -> Iterator[str]:
    if not done.thresholds:
        return
    if found := failures(done.thresholds, done.scores):
        lines = "<br>".join(map(escape, found))
        yield f'<p class="fail"><strong>Failed</strong><br>{lines}</p>'
    else:
        yield f'<p class="pass">All {len(done.thresholds)} thresholds are kept.</p>'


def _table(done: Evaluation) -> Iterator[str]:
    scores = done.scores
    heads = "".join(f"<th>{escape(clip)}</th>" for clip in scores.clips)
    rows, before = [], ""
    for name in scores.measured():
        winner, group = best(scores, name), name.rpartition(".")[0]
        cells = "".join(
            f"<td{' class=best' if clip == winner else ''}>{shown(scores.mean(clip, name))}</td>"
            for clip in scores.clips
        )
        meaning = escape(MEANINGS[name.partition(".")[0]])
        rows.append(
            f'<tr{"" if group == before else " class=new"} title="{meaning}">'
            f"<th>{escape(name)}</th>{cells}</tr>"
        )
        before = group
    yield "<h2>Means over the frames</h2>"
    yield (
        f'<div class="wide"><table><thead><tr><th>measure</th>{heads}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
    taken = {name.partition(".")[0] for name in scores.measured()}
    terms = (
        f"<dt>{name}</dt><dd>{escape(meaning)}</dd>"
        for name, meaning in MEANINGS.items()
        if name in taken
    )
    missing = (f"<dt>{escape(k)}</dt><dd>{_coded(v)}</dd>" for k, v in scores.missing.items())
    yield f"<dl>{''.join(terms)}</dl>"
    if scores.missing:
        yield f"<p>Not measured:</p><dl>{''.join(missing)}</dl>"
    if len(scores.clips) > 2:
        unknown = "" if "gram" in taken else " How styled they are was not measured: give --style."
        yield (
            "<p>The best of the results is bold. Doing nothing would be best in flicker and in "
            f"likeness: there, a result that is less styled than another is not.{unknown}</p>"
        )
    yield (
        "<p>The plate has a warping error of its own, from grain, light and mistaken flow: that "
        "is the floor, and the excess is what a result adds. Doing nothing has no flicker, so "
        "read it beside style distance and detail.</p>"
    )


def _coded(text: str) -> str:
    """HTML with text between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _plots(done: Evaluation) -> Iterator[str]:
    scores = done.scores
    region = main_region(scores)
    yield "<h2>Over time</h2>"
    yield _key(scores.clips)
    plots = []
    for name in scores.measured():
        measure = name.partition(".")[0]
        if name.endswith(f".{region}") and measure not in (
            "e_warp_excess",
            "e_warp_ratio",
            "temporal",
        ):
            lines = {clip: scores.series(clip, name) for clip in scores.clips}
            plots.append(f"<div>{line_plot(name, scores.frames, lines)}</div>")
    yield f'<div class="grid2">{"".join(plots)}</div>'


def _maps(done: Evaluation) -> Iterator[str]:
    yield "<h2>Where it flickers</h2>"
    yield (
        "<p>Root of the mean squared difference to the warped earlier frame, on one scale for "
        "all: black is steady, pale yellow the worst. Grey-blue is seen by no pair.</p>"
    )
    yield _gallery(done.scores.clips, [bounded(each) for each in done.flicker.pictures()])


def _slices(done: Evaluation) -> Iterator[str]:
    yield "<h2>A row of pixels over time</h2>"
    yield (
        f"<p>Row {done.slices.row}, the first {SLICE_FRAMES} frames, downwards. What is steady "
        "draws smooth lines; flicker breaks them into rungs.</p>"
    )
    yield _gallery(done.scores.clips, done.slices.pictures(), kind="slice")


def _worst(done: Evaluation) -> Iterator[str]:
    if not done.stills.worst:
        return
    yield "<h2>Where the results flicker most</h2>"
    yield from _captioned(done, done.stills.worst)


def _first(done: Evaluation) -> Iterator[str]:
    if done.stills.first:
        yield "<h2>The first frame</h2>"
        yield from _captioned(done, [done.stills.first])


def _captioned(done: Evaluation, shown: Sequence[tuple[str, list[Picture]]]) -> Iterator[str]:
    for caption, pictures in shown:
        yield f"<p>{escape(caption[:1].upper() + caption[1:])}</p>"
        yield _gallery(done.scores.clips, pictures, lossless=False)


def _gallery(
    clips: Sequence[str], pictures: Sequence[Picture], *, kind: str = "", lossless: bool = True
) -> str:
    figures = (
        f'<figure><img src="{data_url(picture, lossless=lossless)}" alt="{escape(clip)}">'
        f"<figcaption>{escape(clip)}</figcaption></figure>"
        for clip, picture in zip(clips, pictures, strict=True)
    )
    return f'<div class="pictures {kind}">{"".join(figures)}</div>'


def _key(clips: Sequence[str]) -> str:
    entries = (
        f'<span><i style="background:{colour(number)}"></i>{escape(clip)}</span>'
        for number, clip in enumerate(clips)
    )
    return f'<p class="key">{"".join(entries)}</p>'
