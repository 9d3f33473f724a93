"""``vidstyle farm``: a job for a render farm, or a trial of it on this machine."""

import json
import logging
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from vidstyle.batch.names import MOVIE_SUFFIXES
from vidstyle.choices import BACKENDS, SEGMENTERS
from vidstyle.cli.options import (
    farm_options,
    object_options,
    option,
    read_render_options,
    render_options,
)
from vidstyle.cli.say import say
from vidstyle.constraints import option_of
from vidstyle.errors import UsageError
from vidstyle.farm.local import run_here
from vidstyle.farm.plan import Argument, Kind, Limits, Plan, source_argument
from vidstyle.farm.slurm import slurm_script
from vidstyle.farm.template import path_values, template
from vidstyle.media.pattern import is_pattern
from vidstyle.media.video.target import check_target, default_target, is_picture_target
from vidstyle.options import FARM_SEGMENT, RenderOptions, StyledObject, pair
from vidstyle.runtime.atomic import replacing
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.progress import displayed
from vidstyle.words import counted

log = logging.getLogger(__name__)

_LIMITS = Limits()


@click.command("farm")
@click.argument("source", metavar="INPUT")
@object_options
@farm_options
@render_options
@option("-o", "--output", "target", metavar="CLIP",
        help="The joined clip: a video file or a pattern; by default beside INPUT.")  # fmt: skip
@option(
    "--job",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Job file to write: a YAML template, or a Slurm script. Required.",
)
@click.option("--result", metavar="CLIP", hidden=True, help="What -o was called once.")
@option(
    "--engine",
    type=click.Choice(["openjd", "slurm"]),
    default="openjd",
    show_default=True,
    help="Open Job Description (Deadline Cloud, openjd), or a Slurm array.",
)
@option(
    "--chunk",
    type=click.IntRange(1),
    default=4,
    show_default=True,
    metavar="N",
    help="Segments per task; a task loads the models once.",
)
@option(
    "--gpus",
    type=click.IntRange(0),
    metavar="N",
    help="GPUs per machine; by default 1 if --device names CUDA, otherwise 0.",
)
@option(
    "--gpu-memory",
    type=click.IntRange(0),
    default=_LIMITS.gpu_memory,
    metavar="MIB",
    help="Minimum memory per GPU; not for Slurm, which has constraints of each site's own.",
)
@option(
    "--memory",
    type=click.IntRange(0),
    default=_LIMITS.memory,
    show_default=True,
    metavar="MIB",
    help="Minimum memory per machine.",
)
@option(
    "--minutes",
    type=click.IntRange(1),
    default=_LIMITS.minutes,
    show_default=True,
    metavar="N",
    help="Time limit of a task in minutes, after which it counts as hung.",
)
@option(
    "--program",
    default="vidstyle",
    show_default=True,
    metavar="COMMAND",
    help="Command that runs vidstyle on the farm's machines.",
)
@option("--submit", type=click.Choice(["local"]), help="Run the job on this machine, with openjd.")
@option("--workers", type=click.IntRange(1), default=1, show_default=True, metavar="N",
        help="Workers to run in parallel with --submit.")  # fmt: skip
def farm_command(
    source: str,
    styles: tuple[str, ...],
    objects: tuple[str, ...],
    keys: tuple[str, ...],
    matte_target: str | None,
    work: Path,
    progress: str,
    overwrite: bool,
    target: str | None,
    job: Path | None,
    result: str | None,
    engine: str,
    chunk: int,
    gpus: int | None,
    gpu_memory: int,
    memory: int,
    minutes: int,
    program: str,
    submit: str | None,
    workers: int,
    **options: Any,
) -> None:
    """Write the job that renders INPUT on a farm: analyse, segment-render on many machines, join.

    Takes the options of render. Decodes the clip once to find its cuts, and from them its segments.
    The values of a template's path parameters are written to a file beside it.

    \b
    vidstyle farm in.mp4 --object person --style art.jpg --work /farm/in --job job.yaml
    openjd run job.yaml --step Join --run-dependencies -p file://job.paths.json
    """
    from vidstyle.farm.manifest import grid
    from vidstyle.media.colour_management import manage
    from vidstyle.media.video.reader import open_clip
    from vidstyle.pipeline.analysis import find_take
    from vidstyle.pipeline.output import check_outputs

    job, target = _job_and_target(job, target, result)
    target = target or default_target(source)
    render = read_render_options(source, options)
    check_outputs(source, target, (), render.codec, overwrite)
    check_target(str(job), None)
    if job.exists() and not overwrite:
        raise UsageError(f"{job}: exists; add --overwrite, or name another file")
    if submit and engine != "openjd":
        raise UsageError("--submit local: runs a template; leave out --engine")
    if gpu_memory and engine == "slurm":
        raise UsageError(
            "--gpu-memory: Slurm cannot choose GPUs by their memory; leave it out, and give the "
            f"script your site's own constraint: bash {job} --constraint=NAME"
        )
    grid_options = replace(render, segment=render.segment or FARM_SEGMENT)
    with displayed(progress) as display:
        reader = open_clip(source)
        shots = find_take(reader, render, manage(reader.info, render.colorspace), display).shots
    paired = pair(objects, styles, keys)
    settings = [*_objects(paired), *_given(render)]
    settings += map(Argument, ("--segment", str(grid_options.segment)))
    if matte_target is not None:
        settings += [Argument("--matte-out"), _path(matte_target, Kind.FILE_OUT, "MatteOut")]
    if overwrite:
        settings.append(Argument("--overwrite"))
    plan = Plan(
        title=_title(source),
        program=shlex.split(program),
        source=source_argument(source, is_pattern(source)),
        work=_path(str(work), Kind.FOLDER, "Work"),
        target=_path(target, Kind.FILE_OUT, "Output"),
        settings=settings,
        segments=len(grid(shots, grid_options)),
        chunk=chunk,
        limits=Limits(
            minutes=minutes,
            gpus=int(render.device.startswith("cuda")) if gpus is None else gpus,
            gpu_memory=gpu_memory,
            memory=memory,
        ),
        rendering=list(_flow_cache(render)),
    )
    if engine == "slurm":
        _write(job, slurm_script(plan))
        say(job)
        return
    with needs_extra("farm", "vidstyle farm"):
        import yaml
    _write(job, yaml.safe_dump(template(plan), sort_keys=False, allow_unicode=True))
    paths = job.with_suffix(".paths.json")
    _write(paths, json.dumps(path_values(plan), indent=1) + "\n")
    tasks = counted(len(plan.tasks()), "task")
    say(f"{job}: {counted(plan.segments, 'segment')} in {tasks}")
    if submit:
        run_here(plan, job, paths, workers)


def _job_and_target(
    job: Path | None, target: str | None, result: str | None
) -> tuple[Path, str | None]:
    """The job's file, and the clip's; as they were called before too, with a warning."""
    if result is not None or (job is None and target is not None and not _is_clip(target)):
        log.warning("farm: -o now names the result, and --job the job file; use --job JOB -o CLIP")
        job, target = job or (Path(target) if target else None), result
    if job is None:
        raise UsageError("--job is missing; give a file for the job's template or script")
    return job, target


def _is_clip(name: str) -> bool:
    return is_picture_target(name) or Path(name).suffix.lower() in MOVIE_SUFFIXES


def _objects(paired: Sequence[StyledObject]) -> Iterator[Argument]:
    for number, wanted in enumerate(paired, start=1):
        if wanted.object is not None or len(paired) > 1:
            yield from (
                Argument("--object"),
                Argument(_absolute(wanted.spec), Kind.STRING, f"Object{number}"),
            )
        if wanted.style is not None:
            yield from (Argument("--style"), _path(wanted.style, Kind.FILE_IN, f"Style{number}"))
        for count, text in enumerate(wanted.keys, start=1):
            key, name = Path(text).absolute(), f"Key{number}x{count}"
            yield from (
                Argument("--key"),
                Argument(str(key.parent), Kind.FOLDER_IN, name, f"{key.name}#{number}"),
            )


def _given(options: RenderOptions) -> Iterator[Argument]:
    """What differs from the defaults, as the options of ``analyse`` that say so."""
    for field, value in options.changed():
        if field in ("segment", "flow_cache", "flow_cache_size"):
            continue
        name = "".join(word.title() for word in field.split("_"))
        for number, each in enumerate(value if isinstance(value, tuple) else [value], start=1):
            yield Argument(option_of(field))
            if each is not True:
                suffix = str(number) if isinstance(value, tuple) else ""
                yield Argument(_anywhere(field, str(each)), Kind.STRING, f"{name}{suffix}")


def _anywhere(field: str, value: str) -> str:
    """An option's value as it means the same in any folder: a farm starts commands in its own."""
    if field == "exclude":
        return _absolute(value)
    if field in ("model", "backend", "segmenter", "detector") and not _is_known(value):
        path = Path(value)
        return str(path.absolute()) if path.exists() else value
    return value


def _is_known(name: str) -> bool:
    """Whether a model or backend goes by this name on any machine."""
    from vidstyle.models import weights
    from vidstyle.models.registry import HUB, REGISTRY
    from vidstyle.style.plugins import plugins

    models = [model.name for model in weights.style_models()]
    return name in {*BACKENDS, *SEGMENTERS, *REGISTRY, *HUB, *plugins(), *models}


def _absolute(spec: str) -> str:
    """A SPEC with absolute paths: only their beginnings change, not what follows ``+``, ``#`` or
    ``@``."""
    prompts = []
    for text in spec.split("+"):
        kind, _, name = text.strip().partition(":")
        if kind in ("mask", "matte") and not Path(name).is_absolute():
            text = f"{kind}:{Path.cwd()}/{name}"
        prompts.append(text)
    return "+".join(prompts)


def _flow_cache(options: RenderOptions) -> Iterator[Argument]:
    if options.flow_cache is not None:
        yield Argument("--flow-cache")
        yield _path(options.flow_cache, Kind.FOLDER, "FlowCache")
        yield from map(Argument, ("--flow-cache-size", str(options.flow_cache_size)))


def _path(name: str, kind: Kind, parameter: str) -> Argument:
    return Argument(str(Path(name).absolute()), kind, parameter)


def _title(source: str) -> str:
    """On one line, and short."""
    stem = "".join(c if c.isprintable() else " " for c in Path(source).stem)
    return f"vidstyle {stem}"[:64].rstrip()


def _write(path: Path, text: str) -> None:
    try:
        content = text.encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{path}: a farm job cannot name a file whose name is not UTF-8; rename it"
        ) from None
    with replacing(path) as file:
        file.write(content)
