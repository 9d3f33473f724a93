"""``vidstyle train``: pictures in, a style model out; or a model tuned to one shot."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidstyle.choices import ENCODERS, PROGRESSES
from vidstyle.cli.options import option
from vidstyle.cli.say import say
from vidstyle.errors import MediaError, UsageError
from vidstyle.runtime.extras import needs_extra
from vidstyle.runtime.progress import Progress, displayed

if TYPE_CHECKING:
    from vidstyle.train.config import TrainConfig

_FOLDER = click.Path(path_type=Path)

#: Minutes that a shot is tuned for, unless the user says otherwise.
_SHOT_MINUTES = 10.0


@click.command("train")
@option("--content", type=_FOLDER, metavar="DIR", help="Folder of photographs.")
@option("--styles", type=_FOLDER, metavar="DIR", help="Folder of paintings or drawings.")
@option(
    "--videos",
    type=_FOLDER,
    metavar="DIR",
    help="Clips or folders of frames, for the temporal terms.",
)
@option(
    "--masks",
    type=_FOLDER,
    metavar="PATH",
    help="Masks of the photographs: a folder of PNG masks or Labelme files, or a COCO JSON file.",
)
@option(
    "--domain",
    type=_FOLDER,
    metavar="DIR",
    help="Pictures of another domain, for the domain-adversarial term.",
)
@option(
    "--held-out",
    multiple=True,
    metavar="NAME",
    help="Picture or clip to hold out, without suffix; may repeat. By default one in ten.",
)
@option("--shot", metavar="INPUT", help="Tune a model to this shot instead.")
@option("--object", "spec", metavar="SPEC", help="With --shot: its object, as in render.")
@option("--style", metavar="IMAGE", help="With --shot: the style picture.")
@option(
    "--model",
    metavar="NAME|PATH",
    default=None,
    help="With --shot: the model to tune; micro by default.",
)
@option("--encoder", type=click.Choice(ENCODERS), help="Network that encodes the plate.")
@option(
    "--teacher",
    metavar="NAME|PATH",
    help="Style model to learn from; vgg19 by default.",
)
@option(
    "--perceptual",
    metavar="NAME|FILE",
    help="Perceptual network to compare pictures with in the style phase: auto, "
    "vgg19-torchvision, vgg16, vgg16-hed, micro, or a file of weights.",
)
@option(
    "--config",
    "config_file",
    type=_FOLDER,
    metavar="FILE.toml",
    help="Training recipe, such as the training.toml of any model. Options override it.",
)
@option("--steps", type=click.IntRange(1), metavar="N", help="Steps per phase.")
@option(
    "--minutes",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help=f"Stop training after N minutes; with --shot, {_SHOT_MINUTES:.0f} by default.",
)
@option("--seed", type=click.IntRange(0), help="Seed for every random choice.")
@option("--device", metavar="auto|cpu|cuda[:N]", help="Device to run networks on.")
@option(
    "--work",
    type=_FOLDER,
    metavar="DIR",
    help="Folder for checkpoints, curves and TensorBoard; by default beside the output.",
)
@option(
    "-o",
    "--output",
    type=_FOLDER,
    required=True,
    metavar="MODELFOLDER",
    help="Folder of the trained model, to pass to --model.",
)
@option("--resume", is_flag=True, help="Continue from the checkpoint in --work.")
@option("--overwrite", is_flag=True,
        help="Replace the model, and restart training unless --resume is given.")  # fmt: skip
@option("--progress", type=click.Choice(PROGRESSES), default="auto", show_default=True,
        help="How progress is reported.")  # fmt: skip
def train_command(
    content: Path | None,
    styles: Path | None,
    videos: Path | None,
    masks: Path | None,
    domain: Path | None,
    held_out: tuple[str, ...],
    shot: str | None,
    spec: str | None,
    style: str | None,
    model: str | None,
    encoder: str | None,
    teacher: str | None,
    perceptual: str | None,
    config_file: Path | None,
    steps: int | None,
    minutes: float | None,
    seed: int | None,
    device: str | None,
    work: Path | None,
    output: Path,
    resume: bool,
    overwrite: bool,
    progress: str,
) -> None:
    """Train a style model, or tune one to a shot.

    \b
    vidstyle train --content photographs --styles paintings -o models/mine
    vidstyle train --shot in.mp4 --object person --style art.jpg --minutes 10 -o models/hero

    With several processes: accelerate launch -m vidstyle train …
    """
    config = _recipe(config_file, encoder, teacher, perceptual, steps, seed, device)
    work = work or output.with_name(f"{output.name}.training")
    folders = {"content": content, "styles": styles, "videos": videos, "masks": masks}
    folders |= {"domain": domain}
    if shot is not None:
        _refuse("--shot", {**folders, "held-out": held_out, "encoder": encoder, "resume": resume})
        if style is None:
            raise UsageError("--shot: needs --style IMAGE as well")
        _check_free(output, overwrite)
        if steps is not None:
            config = replace(config, style=replace(config.style, steps=steps))
        with displayed(progress) as display:
            _tune(shot, spec, style, model, minutes, config, work, output, display)
    else:
        _refuse("without --shot", {"object": spec, "style": style, "model": model})
        if content is None or styles is None:
            raise UsageError("give --content DIR and --styles DIR, or --shot INPUT and --style")
        for name, folder in folders.items():
            if folder is not None and not folder.exists():
                raise MediaError(f"--{name} {folder}: no such folder; check the name")
        if resume and not overwrite and output.exists():
            say(f"{output}: already there")
            return
        with needs_extra("train", "training"):
            from vidstyle.train.data import Sources
            from vidstyle.train.job import TrainJob, run

            sources = Sources(content, styles, videos, masks, domain, held_out)
            job = TrainJob(sources, config, work, output, minutes or 0.0, resume, overwrite)
            with displayed(progress) as display:
                run(job, display)
    say(output)


def _recipe(
    file: Path | None,
    encoder: str | None,
    teacher: str | None,
    perceptual: str | None,
    steps: int | None,
    seed: int | None,
    device: str | None,
) -> "TrainConfig":
    """The config file with what the options say instead."""
    from vidstyle.train.config import TrainConfig, changed, read_config

    config = read_config(file) if file else TrainConfig()
    given = {"teacher": teacher, "perceptual": perceptual, "seed": seed}
    values: dict[str, object] = {name: value for name, value in given.items() if value is not None}
    if encoder is not None:
        if config.start:
            raise UsageError(
                f"--encoder: {config.start}, which the recipe starts from, has its own"
            )
        values["architecture"] = replace(config.architecture, encoder=encoder)
    if steps is not None:
        for name in ("distil", "style"):
            phase = getattr(config, name)
            values[name] = replace(phase, steps=steps if phase.steps else 0)
    if device is not None:
        values["run"] = replace(config.run, device=device)
    result: TrainConfig = changed(config, **values)
    return result


def _tune(
    shot: str,
    spec: str | None,
    style: str,
    model: str | None,
    minutes: float | None,
    config: "TrainConfig",
    work: Path,
    output: Path,
    progress: Progress,
) -> None:
    with needs_extra("train", "training"):
        from vidstyle.train.shot import tune_shot

        tune_shot(
            shot,
            spec,
            style,
            model=model or "micro",
            minutes=minutes or _SHOT_MINUTES,
            config=config,
            work=work,
            output=output,
            progress=progress,
        )


def _refuse(place: str, options: dict[str, object]) -> None:
    given = [f"--{name}" for name, value in options.items() if value]
    if given:
        raise UsageError(f"{place}: {' and '.join(given)} does not apply here; leave it out")


def _check_free(output: Path, overwrite: bool) -> None:
    with needs_extra("train", "training"):
        from vidstyle.train.save import check_model_folder

        check_model_folder(output, overwrite)
