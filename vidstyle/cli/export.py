"""``vidstyle export``: a style model for another runtime."""

from pathlib import Path

import click

from vidstyle.choices import EXPORTS
from vidstyle.cli.options import default_of, option
from vidstyle.cli.say import say
from vidstyle.errors import UsageError
from vidstyle.media.video.target import check_target


@click.command("export")
@option("--format", "name", type=click.Choice(EXPORTS), required=True,
        help="Format of the exported file.")  # fmt: skip
@option("-o", "--output", "target", metavar="FILE",
        help="Exported file; by default written where render --backend looks for it.")  # fmt: skip
@option("--model", metavar="NAME|PATH", help="Style model.", **default_of("model"))
@option("--calibrate", metavar="CLIP|FOLDER", help="Frames to calibrate int8 ranges on.")
@option("--style", "styles", multiple=True, metavar="IMAGE",
        help="Style to calibrate with; by default the frames themselves; may repeat.")  # fmt: skip
@option("--bound", type=click.FloatRange(0), metavar="LEVELS",
        help="Largest mean difference from PyTorch to accept.")  # fmt: skip
@option("--overwrite", is_flag=True, help="Replace an existing file.")
def export_command(
    name: str,
    target: str | None,
    model: str,
    calibrate: str | None,
    styles: tuple[str, ...],
    bound: float | None,
    overwrite: bool,
) -> None:
    """Write a style model for another runtime, and check it against PyTorch.

    Batch size, height and width are dynamic (sides must be multiples of 8), and the style's maps
    are inputs, so one file serves every style.

    \b
    vidstyle export --format onnx -o micro.onnx
    vidstyle export --format int8 --calibrate shot.mp4 --style art.jpg -o micro.int8.onnx
    vidstyle render in.mp4 --style art.jpg --backend micro.onnx
    """
    from vidstyle.export.backend import default_target
    from vidstyle.export.calibration import calibration_pictures, parted
    from vidstyle.export.export import CPU, export
    from vidstyle.export.formats import FORMATS
    from vidstyle.export.parity import Bound
    from vidstyle.export.probe import paired_probes
    from vidstyle.pipeline.analysis import style_picture
    from vidstyle.runtime.device import select_device
    from vidstyle.style.build import build_stylizer, choose_model

    model, _ = choose_model(model, select_device("auto"))
    path = default_target(model, name) if target is None else Path(target)
    if target is None:
        path.parent.mkdir(parents=True, exist_ok=True)
    suffix = FORMATS[name].suffix
    if not path.name.endswith(suffix):
        raise UsageError(f"{path}: --format {name} writes {suffix}; name the file so")
    check_target(str(path), None)
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is already there; use --overwrite")
    if calibrate is not None and name != "int8":
        raise UsageError(f"--calibrate: --format {name} needs none; it is for int8")

    kept, held_out = parted([])
    if calibrate is not None:
        pictures = calibration_pictures(calibrate)
        height, width = pictures[0].shape[2:]
        looks = [style_picture(style, (height, width)) for style in styles]
        kept, held_out = parted(
            paired_probes(build_stylizer(model, CPU), pictures, looks or pictures[::-1])
        )
    limit = FORMATS[name].bound if bound is None else Bound(bound, FORMATS[name].bound.largest)
    difference = export(model, name, path, calibration=kept, trials=held_out, bound=limit)
    say(f"from PyTorch: {difference} (at most mean {limit.mean:g}, largest {limit.largest:g})")
    say(path)
