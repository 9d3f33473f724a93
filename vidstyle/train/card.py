"""The model card: description, training data, measured quality, and how to reproduce it."""

import json
import platform
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vidstyle import __version__
from vidstyle.perceptual.network import PerceptualNetwork
from vidstyle.style.stylizer import Stylizer
from vidstyle.train.config import TrainConfig
from vidstyle.train.data import Pictures, Sources, Split, TrainingData
from vidstyle.train.loop import Trained
from vidstyle.train.record import read_curves
from vidstyle.train.score import Score, restyled, score, units

SAMPLES = "samples.jpg"

#: Largest numbers of photographs and styles on the card.
PHOTOGRAPHS, STYLES = 3, 4

#: Shorter side of a sample, in pixels.
_SIDE = 192

_PHASES = {
    "distil": "encoder and decoder learn to see and to paint like the teacher",
    "style": "decoder and attention learn to paint, by losses on the whole picture",
}


@dataclass(frozen=True)
class Made:
    """Everything that went into a model.

    Attributes:
        name: of the model.
        trained: result of each phase, by name.
        records: folder of each phase's records.
        processes: number of training processes.
    """

    name: str
    config: TrainConfig
    sources: Sources
    data: TrainingData
    perceptual: PerceptualNetwork
    trained: Mapping[str, Trained]
    records: Mapping[str, Path]
    processes: int


def write_card(folder: Path, made: Made, stylizer: Stylizer) -> None:
    """Write ``README.md`` and ``samples.jpg`` into a model's folder.

    Args:
        stylizer: the model's; the perceptual network is on its device.
    """
    photographs = _some(made.data.content.held_out, PHOTOGRAPHS)
    kept, learned = (
        _some(pictures, STYLES) for pictures in (made.data.styles.held_out, made.data.styles.train)
    )
    scores = {
        "trained on": score(stylizer, made.perceptual, photographs, learned),
        "held out": score(stylizer, made.perceptual, photographs, kept),
    }
    cv2.imwrite(
        str(folder / SAMPLES),
        sheet(stylizer, photographs, kept)[..., ::-1],
        [cv2.IMWRITE_JPEG_QUALITY, 88],
    )
    parts = [
        _introduction(made, stylizer),
        _recipe(made),
        *(curves(name, read_curves(records)) for name, records in made.records.items()),
        _scores(scores, made),
        _samples(photographs, kept),
    ]
    (folder / "README.md").write_text("\n".join(parts), encoding="utf-8")


def sheet(stylizer: Stylizer, photographs: Pictures, styles: Pictures) -> np.ndarray:
    """Photographs in columns, each above its result in every style: (H, W, 3) uint8."""
    plates = list(units(photographs))
    blank = torch.ones(1, 3, 1, 1)
    rows = [[blank, *plates]]
    rows += [[style, *(restyled(stylizer, plate, style) for plate in plates)]
             for style in units(styles)]  # fmt: skip
    return np.vstack([np.hstack([_tile(picture) for picture in row]) for row in rows])


def _tile(picture: Tensor) -> np.ndarray:
    """The centre square of a picture (1, 3, H, W)."""
    height, width = picture.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[0, :, top : top + side, left : left + side].permute(1, 2, 0).numpy()
    code = (square * 255).round().astype(np.uint8)
    return np.asarray(cv2.resize(code, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA))


def _some(pictures: Pictures, count: int) -> Pictures:
    """At most ``count`` pictures, evenly spaced."""
    places = np.linspace(0, len(pictures) - 1, min(count, len(pictures))).round()
    return pictures.chosen([int(place) for place in places])


def _introduction(made: Made, stylizer: Stylizer) -> str:
    parameters = sum(parameter.numel() for parameter in stylizer.network.parameters())
    sizes = ", ".join(f"{name} {value}" for name, value in asdict(made.config.architecture).items())
    return f"""# {made.name}

A style model for vidstyle: {parameters:,} parameters, half precision.
Licence of the weights: {made.config.licence}.

## Structure

{sizes}; see `vidstyle/style/micro.py`. Features at an eighth of the resolution move to the
style's mean and covariance by the optimal-transport map (ridge {made.config.ridge}), and are
painted again.
"""


def _recipe(made: Made) -> str:
    data, sources = made.data, made.sources
    lines = [
        _counted("photographs", sources.content, data.content),
        _counted("style pictures", sources.styles, data.styles),
    ]
    if sources.domain and data.domain:
        lines.append(_counted("pictures of another domain", sources.domain, data.domain))
    if sources.videos and data.clips:
        clips = {id(clip) for clip in (*data.clips.train, *data.clips.held_out)}
        lines.append(f"{len(clips)} clips of `{sources.videos.resolve().name}`")
    if sources.masks:
        lines.append(f"masks of the photographs from `{sources.masks.resolve().name}`")
    phases = [
        f"{name} ({_PHASES[name]}): {trained.steps} steps, {trained.seconds / 60:.1f} minutes"
        for name, trained in made.trained.items()
    ]
    return f"""## Recipe

`training.toml` holds all of it; seed {made.config.seed}, teacher {made.config.teacher}.

{_bullets(phases)}

Trained by vidstyle {__version__}, torch {torch.__version__}, {_machine(made)}.

Data (sha256 of the list of files, held out or not, and of masks: {data.digest[:16]}…):

{_bullets(lines)}

To make it again:

    {_command(made)}
"""


def _counted(kind: str, folder: Path, split: Split) -> str:
    kept, total = split.held_out.names, {*split.train.files, *split.held_out.files}
    if split.held_out.files == split.train.files:
        return f"{len(total)} {kind} of `{folder.resolve().name}`, none held out"
    named = ", ".join(kept[:20]) + (f" and {len(kept) - 20} more" if len(kept) > 20 else "")
    return f"{len(total)} {kind} of `{folder.resolve().name}`; held out: {named}"


def _machine(made: Made) -> str:
    device = made.config.run.device
    cuda = device != "cpu" and torch.cuda.is_available()
    where = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    processes = f", {made.processes} processes" if made.processes > 1 else ""
    return f"{platform.system()} on {platform.machine()}: {where}{processes}"


def _command(made: Made) -> str:
    sources = made.sources
    words = ["vidstyle", "train", "--content", "DIR", "--styles", "DIR"]
    for option in ("videos", "masks", "domain"):
        if getattr(sources, option):
            words += [f"--{option}", "PATH" if option == "masks" else "DIR"]
    words += ["--config", "training.toml"]
    for name in sources.held_out:
        words += ["--held-out", name]
    return shlex.join([*words, "-o", made.name])


def curves(name: str, entries: Sequence[Mapping[str, float]]) -> str:
    """A section with means over tenths of the run, including validation where there was one."""
    hidden = {"step", "rate", "norm"}
    columns = list(dict.fromkeys(key for entry in entries for key in entry if key not in hidden))
    rows = []
    for part in np.array_split(np.arange(len(entries)), min(10, len(entries))):
        those = [entries[int(place)] for place in part]
        cells = [_mean(entry[column] for entry in those if column in entry) for column in columns]
        rows.append([f"{those[-1]['step'] + 1:.0f}", *cells])
    table = _table(["step", *columns], rows)
    return f"## Curves: {name}\n\nMeans over tenths of the run.\n\n{table}\n"


def _scores(scores: Mapping[str, Score], made: Made) -> str:
    rows = [
        [name, f"{each.before:.3f}", f"{each.after:.3f}", f"{each.likeness:.3f}"]
        for name, each in scores.items()
    ]
    head = ["styles", "plate's distance", "result's distance", "SSIM to the plate"]
    last = {name: trained.validation for name, trained in made.trained.items()}
    terms = json.dumps({name: _rounded(terms) for name, terms in last.items()})
    return f"""## Measured on held-out photographs

Style distance: relative squared Gram difference, mean over layers of
{made.perceptual.name} ({", ".join(made.perceptual.layers)}), at strength 1.

{_table(head, rows)}

Validation at the end: `{terms}`
"""


def _samples(photographs: Pictures, styles: Pictures) -> str:
    return f"""## Samples

{", ".join(photographs.names)} in {", ".join(styles.names)}.

![Photographs, and below each what every style makes of it]({SAMPLES})
"""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _mean(values: Iterable[float]) -> str:
    listed = list(values)
    return f"{np.mean(listed):.4f}" if listed else ""


def _rounded(terms: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in terms.items()}
