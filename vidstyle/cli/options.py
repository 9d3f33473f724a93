"""Options that several commands share. Defaults come from :mod:`vidstyle.options`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from vidstyle.choices import BACKENDS, DETECTORS, PROGRESSES
from vidstyle.constraints import Checked, OneOf, Within, check, constraint_of, kind_of
from vidstyle.options import QualityOptions, RenderOptions

Command = Callable[..., Any]


class _Option(click.Option):
    """From the environment, one that may repeat takes a value from each line: names of files and
    prompts hold spaces and colons."""

    def value_from_envvar(self, ctx: click.Context) -> Any:
        text = self.resolve_envvar_value(ctx)
        if text is None or not self.multiple:
            return super().value_from_envvar(ctx)
        return [line for line in text.splitlines() if line]


def option(*names: str, **settings: Any) -> Callable[[Command], Command]:
    """A click option that also reads ``VIDSTYLE_<NAME>``."""
    long = next(name for name in names if name.startswith("--"))
    variable = f"VIDSTYLE_{long.removeprefix('--').replace('-', '_').upper()}"
    return click.option(*names, cls=_Option, envvar=variable, **settings)


def default_of(field: str, of: type[Checked] = RenderOptions) -> dict[str, Any]:
    """``default=``, ``show_default=`` and, where the field is bounded, ``type=`` of an option."""
    settings: dict[str, Any] = {"default": getattr(of, field), "show_default": True}
    match constraint_of(of, field):
        case OneOf(names):
            settings["type"] = click.Choice(names)
        case Within() as bounds:
            settings["type"] = _Number(of, field, bounds)
    return settings


class _Number(click.FloatRange):
    """A number of a field; of what is out of its bounds the same is said as everywhere."""

    def __init__(self, of: type[Checked], field: str, bounds: Within) -> None:
        super().__init__(bounds.least, bounds.most)
        self._of, self._field = of, field
        self._plain = click.INT if kind_of(of, field) is int else click.FLOAT
        self.name = self._plain.name

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = self._plain.convert(value, param, ctx)
        check(self._of, self._field, number)
        return number


allow_host = option(
    "--allow-host",
    "names",
    metavar="NAME",
    multiple=True,
    help="Host name that browsers may use, such as render01.studio; may repeat. IP addresses and "
    "--host always work.",
)


def _list_codecs(context: click.Context, _: click.Parameter, value: str | None) -> str | None:
    """Callback of ``--codec``: prints the table for ``list`` and ends; else passes on."""
    if value != "list" or context.resilient_parsing:
        return value
    from vidstyle.cli.codecs import codec_table

    click.echo(codec_table())
    raise click.exceptions.Exit(0)


_STYLED = (
    option("--style", "styles", multiple=True, metavar="IMAGE", help="Style picture."),
    option("--object", "objects", multiple=True, metavar="SPEC",
           help="What to style: person, person#2, box:x0,y0,x1,y1[@frame], point:x,y[@frame] "
           "(-box: and -point: mark what is not the object), mask:FILE[@frame], matte:PATTERN, "
           "all; join several with +. Or frame for the whole frame, the default. --object and "
           "--style may repeat and are paired in order."),
)  # fmt: skip

_KEYS = (
    option("--key", "keys", multiple=True, metavar="FILE@FRAME",
           help="A painted keyframe and its frame number, from 0: painted.0020.png@20. It is "
           "carried through its shot in place of a style, or takes precedence over one; may "
           "repeat. With several objects, FILE@FRAME#2 belongs to the second."),
)  # fmt: skip

_MATTES = (
    option("--matte-out", "matte_target", metavar="P",
           help="Write the mattes as an image sequence (m.####.png) or a video; with several "
           "objects, the second's go to object2.m.####.png."),
)  # fmt: skip

_LOOK = (
    option("--strength", help="0 leaves the plate unchanged, 1 is the full style.",
           **default_of("strength")),
    option("--detail", help="How much of the plate's fine detail replaces the painting's: "
           "0 for none, 1 for all of it.", **default_of("detail")),
    option("--style-scale", metavar="X",
           help="Scale of the style picture: 2 for bolder strokes, 0.5 for finer.",
           **default_of("style_scale")),
    option("--supersample", metavar="N",
           help="Paint the object at N times its size (1 to 4) and downsample: strokes are finer "
           "and small faces keep their eyes. By default up to 3, within the cost of an 854x480 "
           "frame; live does not by default.", **default_of("supersample")),
    option("--feather", metavar="PX",
           help="Soften the matte's edge by this many pixels.", **default_of("feather")),
    option("--preserve", help="Keep the plate's colours, or its edges and structure.",
           **default_of("preserve")),
)  # fmt: skip

_FLOW_CACHE = (
    option("--flow-cache", type=click.Path(file_okay=False), metavar="DIR",
           help="Cache optical flow here, so that the next run on the same shot reuses it."),
    option("--flow-cache-size", metavar="MIB", help="Maximum size of that folder.",
           **default_of("flow_cache_size")),
)  # fmt: skip

_INVERTED = (option("--invert", is_flag=True, help="Style everything except the object."),)

_EXCLUDED = (
    option("--exclude", multiple=True, metavar="SPEC",
           help="What to leave alone, even within an object: a SPEC as for --object; may repeat."),
)  # fmt: skip

_ELEMENT = (
    option("--element", is_flag=True,
           help="Write only the restyled element, premultiplied, over transparency."),
    option("--decontaminate", is_flag=True,
           help="Keep the background's colour out of the element's edge, so that it shows no rim "
           "over another plate."),
)  # fmt: skip

_CLIP = (
    option("--strict", is_flag=True, help="Stop if footage is damaged or the object is lost."),
    option("--in", "first", metavar="FRAME|TC",
           help="First frame: a number from 0, or a timecode."),
    option("--out", "last", metavar="FRAME|TC", help="Last frame, inclusive."),
    option("--handles", type=click.IntRange(0), metavar="N", default=0, show_default=True,
           help="Extra frames before --in and after --out, as far as the clip reaches."),
)  # fmt: skip

_TEMPORAL = (
    option("--temporal", help="Steady each frame with the one before it.",
           **default_of("temporal")),
)  # fmt: skip

_FLOW = (
    option("--flow", help="Optical flow estimator.", **default_of("flow")),
    option("--flow-size", metavar="PX", help="Maximum short side for optical flow.",
           **default_of("flow_size")),
)  # fmt: skip

_FINDERS = (
    option("--segmenter", metavar="auto|sam|mobile-sam|grabcut|NAME|FOLDER",
           help="Segmenter that cuts objects out; NAME or FOLDER is a SAM 2 model, such as "
           "sam2.1-tiny.",
           **default_of("segmenter")),
    option("--detector", metavar="auto|NAME|FOLDER",
           help=f"Detector that finds objects by name: {', '.join(DETECTORS)}; or one that takes "
           "any words: sam3, grounding-dino-tiny, owlv2, or the folder of such a model.",
           **default_of("detector")),
    option("--edges", help="How edges of tracked mattes are refined; closed-form is slow, for hair "
           "and blur.", **default_of("edges")),
)  # fmt: skip

_MODEL = (
    option("--model", metavar="auto|NAME|PATH",
           help="Style model: micro ships with vidstyle and is made for CPUs, vgg19 styles more "
           "strongly; auto uses vgg19 on CUDA if its weights are installed.",
           **default_of("model")),
    option("--backend", metavar="NAME|FILE",
           help=f"Runtime for the style network: {', '.join(BACKENDS)}, or an exported file.",
           **default_of("backend")),
)  # fmt: skip

_DEVICE = (
    option("--device", metavar="auto|cpu|cuda[:N]|mps", help="Device to run networks on.",
           **default_of("device")),
)  # fmt: skip

_MEMORY = (
    option("--max-memory", metavar="MIB",
           help="Memory limit for the style network; larger frames are tiled.",
           **default_of("max_memory")),
)  # fmt: skip

_SEED = (
    option("--seed", metavar="N", help="Seed for every random generator.", **default_of("seed")),
)  # fmt: skip

_CODEC = (
    option("--codec", metavar="PRESET|list", default=None, is_eager=True, callback=_list_codecs,
           help="Video codec; by default one that plays everywhere: 8-bit 4:2:0 H.264, or HEVC "
           "Main 10 for higher bit depths (ffv1 in avi, DNxHR HQX in mxf). list shows what each "
           "one keeps and whether it works on this machine."),
)  # fmt: skip

_WORK = (
    *_FLOW_CACHE,
    option("--batch", metavar="N", help="Frames per network call; changing it changes pixels "
           "slightly.", **default_of("batch")),
    *_CODEC,
)  # fmt: skip

_COLORSPACE = (
    option("--colorspace", metavar="IN[:OUT]", default=None,
           help="OCIO colour spaces of the clip and of the output (from $OCIO, or built-in ACES)."),
)  # fmt: skip

_GRID = (
    option("--segment", metavar="N",
           help="Render in segments of N frames, as a farm does; 0 renders in one go, on a "
           "farm 64.",
           **default_of("segment")),
    option("--preroll", metavar="N", help="Pre-roll frames before each segment.",
           **default_of("preroll")),
)  # fmt: skip

_FARM = (
    option("--work", type=click.Path(file_okay=False, path_type=Path), required=True,
           metavar="DIR", help="Work directory, shared by all machines."),
)  # fmt: skip

_TOLD = (
    option("--progress", type=click.Choice(PROGRESSES), default="auto", show_default=True,
           help="How progress is reported."),
    option("--overwrite", is_flag=True, help="Replace an existing output."),
)  # fmt: skip

_DRY = (option("--dry-run", is_flag=True, help="Print the plan and exit."),)

_RUN = (
    option("--resume", is_flag=True, help="Keep outputs already made from the same input with "
           "the same options; make only what is missing."),
    option("--report", type=click.Path(dir_okay=False), metavar="FILE.json",
           help="Write a report: what was done, with which models and options, and how long it "
           "took."),
)  # fmt: skip


_QUALITY = (
    option("--qc", is_flag=True, help="Score the output as `vidstyle evaluate` does; the scores "
           "go into the report."),
    option("--qc-step", metavar="N", help="Score every nth frame.",
           **default_of("step", QualityOptions)),
    option("--qc-html", "page", type=click.Path(dir_okay=False), metavar="FILE",
           help="Also write the scores as a page with plots and pictures."),
    option("--fail-above", multiple=True, metavar="NAME=VALUE",
           help="Exit with code 7 if a mean is larger, such as e_warp_ratio.gap1.inside=3."),
    option("--fail-below", multiple=True, metavar="NAME=VALUE",
           help="Exit with code 7 if a mean is smaller, such as ssim.outside=0.9."),
)  # fmt: skip


def _group(options: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for add in reversed(options):
            command = add(command)
        return command

    return decorate


_MOTION = _TEMPORAL + _FLOW
_NETWORKS = _FINDERS + _MODEL + _DEVICE + _MEMORY + _SEED

render_options = _group(
    _LOOK + _INVERTED + _EXCLUDED + _ELEMENT + _CLIP + _MOTION + _NETWORKS + _WORK + _COLORSPACE
    + _GRID
)  # fmt: skip
"""What :func:`read_render_options` takes."""


def read_render_options(source: str, values: Mapping[str, Any]) -> RenderOptions:
    """What ``render_options`` parsed, for a clip: timecodes and handles become frames.

    Raises:
        UsageError: see ``frame_range``.
        MediaError: the clip, which says where its timecode starts, cannot be read.
    """
    from vidstyle.media.video.probe import probe
    from vidstyle.media.video.ranges import frame_range

    fields = dict(values)
    first, last, handles = (fields.pop(name) for name in ("first", "last", "handles"))
    if first is not None or last is not None:
        first, last = frame_range(probe(source), first, last, handles)
    return RenderOptions(first=first, last=last, **fields)


flow_cache_options = _group(_FLOW_CACHE)
"""Where flows are kept: ``flow_cache, flow_cache_size``."""

quality_options = _group(_QUALITY)
"""Whether the output is scored, and how: ``qc, qc_step, page, fail_above, fail_below``."""

live_options = _group(_LOOK + _INVERTED + _MOTION + _NETWORKS + _CODEC)
"""Those of them that pictures need which come one by one."""

still_options = _group(_STYLED + _LOOK + _INVERTED + _EXCLUDED + _NETWORKS + _TOLD + _RUN)
"""Of pictures that are no film: ``styles, objects, progress, overwrite, resume, report``, and
fields of :class:`~vidstyle.options.RenderOptions`."""

paint_options = _group(
    _EXCLUDED + _INVERTED + _CLIP + _FLOW + _FINDERS + _DEVICE + _SEED + _COLORSPACE + _TOLD
)
"""Of the painting of keys: ``progress, overwrite``, and what :func:`read_render_options` takes."""

object_options = _group(_STYLED + _KEYS + _MATTES)
"""Objects, their styles and mattes: ``styles, objects, keys, matte_target``; see
:func:`vidstyle.options.pair`."""

farm_options = _group(_FARM + _TOLD)
"""Of the commands that share a work directory: ``work, progress, overwrite``."""

run_options = _group(_TOLD + _RUN + _DRY)
"""How a run behaves: ``progress, resume, overwrite, dry_run, report``."""
