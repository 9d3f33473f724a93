"""The recipe of a training run: the single source of its defaults, read from and written to TOML.

seed = 7
[architecture]
encoder = "micro"
[style]
steps = 4000
[style.weights]
gram = 1.0
"""

import difflib
import json
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from vidstyle.choices import ENCODERS
from vidstyle.errors import UsageError
from vidstyle.runtime.nesting import parsed
from vidstyle.style.micro import Architecture

SCHEDULES = ("cosine", "plateau")
PRECISIONS = ("auto", "full")


@dataclass(frozen=True)
class Phase:
    """Settings common to all training phases.

    Attributes:
        steps: number of optimiser steps; 0 skips the phase.
        minutes: time limit; 0 for none.
        batch: items per forward pass, in each process.
        accumulate: forward passes per optimiser step.
        side: of a crop in pixels; a multiple of 8.
        zoom: range of a crop's extent in the picture, in multiples of ``side``.
        rate: peak learning rate.
        warm_up: steps until the peak rate.
        clip: largest gradient norm.
        schedule: ``cosine`` decays along half a cosine over the run; ``plateau`` halves the rate
            when validation stops improving.
        keep: weight of the initial network when the result is interpolated with it. Higher values
            have less of what was learned, but fewer surprises on unseen styles (Wortsman 2022,
            WiSE-FT).
    """

    steps: int = 1000
    minutes: float = 0.0
    batch: int = 6
    accumulate: int = 1
    side: int = 160
    zoom: tuple[float, float] = (0.6, 1.8)
    rate: float = 2e-3
    warm_up: int = 40
    clip: float = 1.0
    schedule: str = "cosine"
    keep: float = 0.0

    def __post_init__(self) -> None:
        _require(self.steps >= 0, "steps must be 0 or more")
        _require(self.minutes >= 0, "minutes must be 0 or more")
        _require(self.batch >= 1, "batch must be 1 or more")
        _require(self.accumulate >= 1, "accumulate must be 1 or more")
        _require(
            self.side >= 32 and self.side % 8 == 0, "side must be a multiple of 8, at least 32"
        )
        _require(0 < self.zoom[0] <= self.zoom[1], "zoom must be two rising numbers above 0")
        _require(self.rate > 0, "rate must be above 0")
        _require(self.warm_up >= 0, "warm_up must be 0 or more")
        _require(self.clip > 0, "clip must be above 0")
        _require(self.schedule in SCHEDULES, f"schedule must be one of {', '.join(SCHEDULES)}")
        _require(0 <= self.keep <= 1, "keep must be in [0, 1]")


@dataclass(frozen=True)
class DistilWeights:
    """Weights of the distillation terms; see :mod:`vidstyle.train.distil`."""

    features: float = 1.0
    bands: float = 1.0
    energy: float = 4.0
    tones: float = 0.3
    steady: float = 0.25
    texture: float = 0.0

    def __post_init__(self) -> None:
        _require_not_negative(self)


@dataclass(frozen=True)
class LessonConfig:
    """The teacher's lessons for the first phase; see :mod:`vidstyle.train.lessons`.

    Attributes:
        count: number of photographs.
        side: of the photographs, in pixels; a multiple of 8.
        zoom: range of a crop's extent in the picture, in multiples of ``side``.
        styles: number of crops of style pictures, some recoloured.
        whole: fraction of these that are whole pictures, at a random size.
        pictures: number of teacher's results per photograph.
        mixed: fraction of these in a mix of two styles.
        samples: crops of each kind that the principal components are computed from.
    """

    count: int = 500
    side: int = 384
    zoom: tuple[float, float] = (0.6, 1.6)
    styles: int = 300
    whole: float = 0.4
    pictures: int = 6
    mixed: float = 0.3
    samples: int = 40

    def __post_init__(self) -> None:
        for name in ("count", "styles", "pictures", "samples"):
            _require(getattr(self, name) >= 1, f"{name} must be 1 or more")
        _require(
            self.side >= 64 and self.side % 8 == 0, "side must be a multiple of 8, at least 64"
        )
        for name in ("whole", "mixed"):
            _require(0 <= getattr(self, name) <= 1, f"{name} must be in [0, 1]")
        _require(0 < self.zoom[0] <= self.zoom[1], "zoom must be two rising numbers above 0")


@dataclass(frozen=True)
class DistilConfig(Phase):
    """The first phase.

    Attributes:
        styles: pictures of a lesson used per step.
        apart: fraction of the run over which encoder and decoder are trained separately.
        joined: fraction after which the decoder sees only the student's features.
        noise: largest standard deviation of the grain added to photographs, so that the student's
            results do not flicker with camera grain.
        texture_side: side of the square of each crop whose texture is compared, in pixels.
    """

    steps: int = 12000
    batch: int = 4
    side: int = 192
    rate: float = 1.5e-3
    warm_up: int = 200
    styles: int = 2
    apart: float = 0.35
    joined: float = 0.65
    noise: float = 0.02
    texture_side: int = 128
    lessons: LessonConfig = field(default_factory=LessonConfig)
    weights: DistilWeights = field(default_factory=DistilWeights)

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(0 <= self.apart < self.joined <= 1, "apart and joined must rise within [0, 1]")
        _require(self.noise >= 0, "noise must be 0 or more")
        _require(self.texture_side >= 32, "texture_side must be 32 or more")
        _require(self.side <= self.lessons.side, "side must not exceed that of the lessons")
        _require(
            1 <= self.styles <= self.lessons.pictures,
            "styles must be at least 1, and not more than the lessons have pictures",
        )


@dataclass(frozen=True)
class StyleWeights:
    """Weights of the style phase's terms; 0 disables a term.

    The terms are the functions of :mod:`vidstyle.train.losses`. Masked terms are computed over the
    object only, or over everything if there is no mask.
    """

    content: float = 0.15
    gram: float = 0.0
    mean_std: float = 0.0
    masked_gram: float = 1.0
    masked_mean_std: float = 0.0
    identity: float = 0.0
    outside: float = 0.0
    temporal: float = 0.0
    feature_temporal: float = 0.0
    long_term: float = 0.0
    compound: float = 5.0
    contrastive: float = 0.0
    total_variation: float = 0.0
    domain: float = 0.0
    laplacian: float = 0.0
    gradient: float = 0.0
    structure: float = 0.0

    def __post_init__(self) -> None:
        _require_not_negative(self)


@dataclass(frozen=True)
class StyleConfig(Phase):
    """The second phase.

    Attributes:
        rise: fraction of the run over which style weights ramp up from a third to their full value.
        gaps: between the frames of clips that the temporal terms compare, in frames; ascending.
        shift, noise, light: of the synthetic motion of photographs; see
            :class:`vidstyle.train.pairs.SyntheticMotion`.
    """

    steps: int = 0
    batch: int = 4
    rate: float = 2e-4
    rise: float = 0.3
    keep: float = 0.5
    gaps: tuple[int, ...] = (1,)
    shift: float = 8.0
    noise: float = 0.02
    light: float = 0.1
    weights: StyleWeights = field(default_factory=StyleWeights)

    def __post_init__(self) -> None:
        super().__post_init__()
        _require(0 <= self.rise <= 1, "rise must be in [0, 1]")
        rising = list(self.gaps) == sorted(set(self.gaps)) and min(self.gaps, default=0) >= 1
        _require(rising, "gaps must be rising numbers of frames")
        for name in ("shift", "noise", "light"):
            _require(getattr(self, name) >= 0, f"{name} must be 0 or more")


@dataclass(frozen=True)
class DataConfig:
    """How pictures are read.

    Attributes:
        content_side, style_side, video_side: shorter side in pixels; photographs of another domain
            use the content's.
    """

    content_side: int = 400
    style_side: int = 512
    video_side: int = 256

    def __post_init__(self) -> None:
        for name in ("content_side", "style_side", "video_side"):
            _require(getattr(self, name) >= 32, f"{name} must be 32 or more")


@dataclass(frozen=True)
class RunConfig:
    """Execution settings of a run; they affect the result by rounding at most, so they may change
    on resuming.

    Attributes:
        checkpoint_every, validate_every: intervals in steps.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        workers: processes that draw samples; 0 draws them in the training process, −1 uses none on
            a CPU and one per core, at most eight, on CUDA.
        precision: ``auto`` uses half precision where the device is fast in it; ``full`` never does.
    """

    checkpoint_every: int = 100
    validate_every: int = 100
    device: str = "auto"
    workers: int = -1
    precision: str = "auto"

    def __post_init__(self) -> None:
        _require(self.checkpoint_every >= 1, "checkpoint_every must be 1 or more")
        _require(self.validate_every >= 1, "validate_every must be 1 or more")
        _require(self.workers >= -1, "workers must be -1 or more")
        known = self.precision in PRECISIONS
        _require(known, f"precision must be one of {', '.join(PRECISIONS)}")


@dataclass(frozen=True)
class TrainConfig:
    """Everything that determines the result of a run, besides its data.

    Attributes:
        seed: of all random choices.
        start: style model to fine-tune, by name or folder, which then also sets the architecture;
            "" starts from random weights and the encoder's pretrained backbone. A first phase that
            fine-tunes should use ``apart = 0`` and a ``joined`` near it.
        grow: convolutions that are added to ``start``, in the order of the architecture's
            ``depth``; see :func:`vidstyle.train.growth.grown`.
        teacher: style model that the first phase learns from, by name or folder.
        perceptual: network that pictures are compared with: ``auto``, a name from
            :data:`vidstyle.perceptual.network.PERCEPTUAL` or ``NAMED``, or a file.
        ridge: of the transform; see :func:`vidstyle.style.transform.optimal_map`.
        average: decay of the running mean of the weights, which is what is saved.
        validation: number of validation items.
        licence: SPDX identifier of the resulting weights.
    """

    seed: int = 7
    start: str = ""
    grow: tuple[int, int, int, int] = (0, 0, 0, 0)
    teacher: str = "vgg19"
    perceptual: str = "auto"
    ridge: float = 0.01
    average: float = 0.995
    validation: int = 12
    licence: str = "Apache-2.0"
    architecture: Architecture = field(default_factory=Architecture)
    data: DataConfig = field(default_factory=DataConfig)
    distil: DistilConfig = field(default_factory=DistilConfig)
    style: StyleConfig = field(default_factory=StyleConfig)
    run: RunConfig = field(default_factory=RunConfig)

    def __post_init__(self) -> None:
        sizes = self.architecture
        nothing = not (self.distil.steps or self.style.steps)
        _require(not nothing, "distil.steps and style.steps are both 0: there is nothing to do")
        random = not self.distil.steps and not self.start
        _require(not random, "distil.steps is 0: name a model in start, or style has no ground")
        _require(min(self.grow) >= 0, "grow must be 0 or more")
        _require(bool(self.start) or not any(self.grow), "grow: name a model in start to add to")
        _require(self.seed >= 0, "seed must be 0 or more")
        _require(self.ridge > 0, "ridge must be above 0")
        _require(0 <= self.average < 1, "average must be in [0, 1)")
        _require(self.validation >= 1, "validation must be 1 or more")
        _require(sizes.encoder in ENCODERS, f"encoder must be one of {', '.join(ENCODERS)}")
        widths = (sizes.features, sizes.fine, sizes.coarse, sizes.brush)
        _require(min(widths) >= 1 and min(sizes.depth) >= 0, "widths and depth must be positive")
        _require(sizes.attention >= 0, "attention must be 0 or more")


def read_config(path: Path) -> TrainConfig:
    """Read a recipe; keys missing from the file keep their defaults.

    Raises:
        UsageError: the file cannot be read, or has an unknown key or an invalid value.
    """
    try:
        table = parsed(tomllib.loads, path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}); check the name") from None
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read as TOML ({error}); fix it") from None
    config: TrainConfig = _build(TrainConfig, table, path, "")
    return config


def write_config(config: TrainConfig, path: Path) -> None:
    """Write a recipe that :func:`read_config` reads."""
    path.write_text("\n".join(_lines(asdict(config), "")) + "\n", encoding="utf-8")


def changed(config: Any, **values: Any) -> Any:
    """``dataclasses.replace`` for values from the command line.

    Raises:
        UsageError: invalid value.
    """
    try:
        return replace(config, **values)
    except ValueError as error:
        raise UsageError(str(error)) from None


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"style": {"rate": 1}}`` → ``{"style.rate": 1}``."""
    entries: dict[str, Any] = {}
    for key, value in table.items():
        entries |= (
            flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
        )
    return entries


def _build(kind: Any, table: Mapping[str, Any], path: Path, place: str) -> Any:
    """A dataclass of type ``kind`` from a table of a TOML file."""
    types = typing.get_type_hints(kind)
    values = {}
    for key, value in table.items():
        name = f"{place}{key}"
        if key not in types:
            near = difflib.get_close_matches(key, types, n=1)
            known = f"did you mean {near[0]}" if near else f"known are {', '.join(types)}"
            raise UsageError(f"{path}: unknown key {name}; {known}")
        if is_dataclass(types[key]):
            if not isinstance(value, dict):
                raise UsageError(f"{path}: {name} must be a table; write [{name}]")
            values[key] = _build(types[key], value, path, f"{name}.")
        else:
            values[key] = _typed(types[key], value, path, name)
    try:
        return kind(**values)
    except ValueError as error:
        raise UsageError(f"{path}: {place}{error}") from None


def _typed(kind: Any, value: object, path: Path, name: str) -> object:
    # In TOML 1 is not a float, and in Python True is an int; neither is what users expect.
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is kind:
        return value
    if typing.get_origin(kind) is tuple and isinstance(value, list):
        parts = typing.get_args(kind)
        if parts[-1] is Ellipsis:
            parts = parts[:1] * len(value)
        if len(parts) == len(value):
            return tuple(_typed(*both, path, name) for both in zip(parts, value, strict=True))
    wanted = getattr(kind, "__name__", str(kind)) if kind in (int, float, str) else str(kind)
    raise UsageError(f"{path}: {name} is {json.dumps(value, default=str)}; it must be {wanted}")


def _lines(table: Mapping[str, Any], place: str) -> list[str]:
    """TOML lines: plain values first, since whatever follows a table's header belongs to it."""
    plain = [
        # JSON's strings, numbers and lists are TOML's.
        f"{key} = {json.dumps(value)}"
        for key, value in table.items()
        if not isinstance(value, dict)
    ]
    tables = [
        line
        for key, value in table.items()
        if isinstance(value, dict)
        for line in ("", f"[{place}{key}]", *_lines(value, f"{place}{key}."))
    ]
    return plain + tables


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(message)


def _require_not_negative(weights: Any) -> None:
    for entry in fields(weights):
        _require(getattr(weights, entry.name) >= 0, f"{entry.name} must be 0 or more")
