"""Render options: the default and the allowed values of each, defined here and nowhere else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

from vidstyle.choices import EDGES, FLOWS, PRESERVED, TEMPORAL
from vidstyle.constraints import Checked, OneOf, Within
from vidstyle.errors import UsageError

#: SPEC of the whole frame, for use among several layers.
WHOLE_FRAME = "frame"


@dataclass(frozen=True)
class StyledObject:
    """An object and the source of its look: a style, painted keyframes, or both.

    Attributes:
        object: an ``--object`` SPEC; None for the whole frame.
        style: path of the style picture; None if painted keys replace it.
        keys: painted frames, ``FILE@FRAME``.
    """

    object: str | None
    style: str | None
    keys: tuple[str, ...] = ()

    @property
    def spec(self) -> str:
        """As ``--object`` takes it."""
        return self.object or WHOLE_FRAME

    def __str__(self) -> str:
        after = [] if self.style is None else [f"in the style of {self.style}"]
        after += [f"as painted in {key}" for key in self.keys]
        return f"{self.object or 'whole frame'} {', '.join(after)}"


def pair(
    objects: Sequence[str], styles: Sequence[str], keys: Sequence[str] = ()
) -> list[StyledObject]:
    """Pair objects with styles in order; a single style applies to all objects.

    Args:
        keys: painted frames, ``FILE@FRAME``; with several objects ``FILE@FRAME#N``, N from 1.

    Raises:
        UsageError: the counts do not match.
    """
    wanted = [None if name == WHOLE_FRAME else name for name in objects] or [None]
    owned = _owned(keys, len(wanted))
    if not styles and not all(owned):
        raise UsageError("--style is missing; give a style picture")
    if not styles:
        return [StyledObject(name, None, own) for name, own in zip(wanted, owned, strict=True)]
    if len(styles) == 1:
        styles = [*styles] * len(wanted)
    if len(styles) != len(wanted):
        raise UsageError(
            f"{len(wanted)} objects but {len(styles)} styles: give one for each, or one for all"
        )
    return [StyledObject(*each) for each in zip(wanted, styles, owned, strict=True)]


def check_inverted(spec: str | None, invert: bool) -> None:
    """
    Args:
        spec: an object; None for the whole frame.

    Raises:
        UsageError: everything except the object is nothing.
    """
    if invert and spec is None:
        raise UsageError("--invert: everything except the whole frame is nothing; give an --object")


def _owned(keys: Sequence[str], count: int) -> list[tuple[str, ...]]:
    """The keys of each object."""
    owned: list[list[str]] = [[] for _ in range(count)]
    for text in keys:
        key, numbered, number = text.rpartition("#")
        if not (numbered and number.isdecimal()):
            if count > 1:
                raise UsageError(
                    f"--key {text}: there are {count} objects; write {text}#1 for the first"
                )
            key, number = text, "1"
        if not 1 <= int(number) <= count:
            raise UsageError(f"--key {text}: there is no object {number}, only {count}")
        owned[int(number) - 1].append(key)
    return [tuple(each) for each in owned]


#: Range of ``style_scale``; beyond it strokes vanish, or a single one fills the picture.
STYLE_SCALES = (0.25, 4)


@dataclass(frozen=True)
class LookOptions(Checked):
    """How the painting looks, whichever network makes it.

    Attributes:
        strength: 0 leaves the plate as it is, 1 applies the style in full.
        detail: how much of the plate's fine detail replaces the painting's, 0 to 1.
        style_scale: scale of the style picture: above 1 strokes are bolder, below 1 finer.
        supersample: factor by which the object is enlarged before painting, then averaged down, so
            that small faces keep their eyes. None: the largest up to 3 at which its box is no
            larger than an 854×480 frame; 1 for a plug-in's model.
        feather: softens the matte's edge by this many pixels each way.
        decontaminate: keep the background's colour out of an element's edge.
        preserve: what the style must keep of the plate: ``none``, ``color``, ``structure``.
    """

    strength: Annotated[float, Within(0, 1)] = 1.0
    detail: Annotated[float, Within(0, 1)] = 0.0
    style_scale: Annotated[float, Within(*STYLE_SCALES)] = 1.0
    supersample: Annotated[int, Within(1, 4)] | None = None
    feather: Annotated[float, Within(0, 512)] = 2.0
    decontaminate: bool = False
    preserve: Annotated[str, OneOf(PRESERVED)] = "none"


@dataclass(frozen=True)
class SelectionOptions(Checked):
    """Which frames of the clip, and which part of each.

    Attributes:
        first, last: first and last frame to render; None for the clip's own.
        exclude: SPECs, as for ``--object``, of what must never be styled.
        invert: style everything except the object.
        strict: stop if footage is damaged or truncated, or the object is lost in some frames.
    """

    first: Annotated[int, Within(0)] | None = None
    last: Annotated[int, Within(0)] | None = None
    exclude: tuple[str, ...] = ()
    invert: bool = False
    strict: bool = False

    @property
    def range(self) -> tuple[int, int | None]:
        """First frame, and the one after the last; None for the clip's end."""
        return self.first or 0, None if self.last is None else self.last + 1


@dataclass(frozen=True)
class MotionOptions(Checked):
    """How frames are steadied in time.

    Attributes:
        temporal: ``blend`` steadies each frame with the one before it, ``off`` does not.
        flow: optical flow estimator; ``auto`` is RAFT on CUDA and DIS on a CPU.
        flow_size: maximum short side, in pixels, at which flow is estimated.
    """

    temporal: Annotated[str, OneOf(TEMPORAL)] = "blend"
    flow: Annotated[str, OneOf(FLOWS)] = "auto"
    flow_size: Annotated[int, Within(64)] = 540


@dataclass(frozen=True)
class NetworkOptions(Checked):
    """Which networks find, cut out and paint.

    Attributes:
        segmenter: ``sam``, ``mobile-sam``, ``grabcut``, the folder of a SAM 2 model, or ``auto``:
            the first of these whose weights are on this machine.
        detector: what finds objects by name: a registry entry, the folder of an OWLv2 model, or
            ``auto``: the best whose weights are on this machine.
        edges: ``guided`` filter, or ``closed-form`` matting for hair and blur.
        model: style model, by name or folder; ``auto`` is ``vgg19`` on CUDA if its weights are
            installed, otherwise the bundled model.
        seed: seed of every random generator.
    """

    segmenter: str = "auto"
    detector: str = "auto"
    edges: Annotated[str, OneOf(EDGES)] = "guided"
    model: str = "auto"
    seed: Annotated[int, Within(0, 2**32 - 1)] = 0


@dataclass(frozen=True)
class OutputOptions(Checked):
    """How the result is written.

    Attributes:
        codec: a codec preset; None for the container's default.
        colorspace: ``IN[:OUT]``, OCIO colour spaces of the clip and of the output; None uses code
            values as stored, or the space that floating-point pictures declare.
        element: write only the restyled element, premultiplied, over transparency.
    """

    codec: str | None = None
    colorspace: str | None = None
    element: bool = False


@dataclass(frozen=True)
class MachineOptions(Checked):
    """Where a render runs and how its work is divided: properties of a machine, not of a shot.

    Attributes:
        backend: runtime of the style network: ``torch``, ``torch-bf16`` (faster on processors with
            AMX; 0.8 of a level off), an export format, or an exported file.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        max_memory: memory limit of the style network in MiB; larger frames are tiled.
        batch: frames per network call. The box around the object spans the batch, so flow within
            it, and with it the pixels, depend slightly on this.
        segment: frames per segment of the farm's grid; 0 renders in one go.
        preroll: frames rendered before a segment so that the temporal step settles.
        flow_cache: folder where flow is cached for the next render of the shot; None for no cache.
        flow_cache_size: maximum size of that folder in MiB.
    """

    backend: str = "torch"
    device: str = "auto"
    max_memory: Annotated[int, Within(64)] = 4096
    batch: Annotated[int, Within(1, 256)] = 8
    segment: Annotated[int, Within(0)] = 0
    preroll: Annotated[int, Within(0)] = 16
    flow_cache: str | None = None
    flow_cache_size: Annotated[int, Within(1)] = 4096


# Fields of the last base come first.
@dataclass(frozen=True)
class RenderOptions(
    MachineOptions, OutputOptions, NetworkOptions, MotionOptions, SelectionOptions, LookOptions
):
    """All options of a render except its input, output and objects.

    Fields of all groups are accessible directly, so ``replace(options, strength=0.5)`` needs no
    group; and since this inherits from each group, a function can ask for just the one it reads.

    Allowed values are annotated on each field, where the command line, shot lists and manifests
    read them. Other values raise ``UsageError``.

    Attributes: those of :class:`LookOptions`, :class:`SelectionOptions`, :class:`MotionOptions`,
    :class:`NetworkOptions`, :class:`OutputOptions` and :class:`MachineOptions`.
    """

    def changed(self) -> Iterator[tuple[str, Any]]:
        """Names and values of the fields that differ from their defaults."""
        for field in fields(self):
            if (value := getattr(self, field.name)) != field.default:
                yield field.name, value


DEFAULTS = RenderOptions()

#: Frames per segment if a farm needs a grid and none is given: a quarter of the work is pre-roll,
#: and a minute of film makes about twenty tasks.
FARM_SEGMENT = 64


@dataclass(frozen=True)
class PaintOptions(Checked):
    """How a key is painted.

    Attributes:
        strokes: stroke size: above 1 strokes are bolder and the object simpler, below 1 finer.
        structure: weight of the plate against the style, 0 to 1: 0 replaces the plate with the
            style's texture, 1 keeps all edges.
    """

    strokes: Annotated[float, Within(0.5, 4)] = 1.0
    structure: Annotated[float, Within(0, 1)] = 0.5


@dataclass(frozen=True)
class QualityOptions(Checked):
    """How a render scores its output.

    Attributes:
        step: every nth frame is scored; judging motion takes longer than rendering it.
        page: file of the HTML report; None for none.
        fail_above, fail_below: thresholds, ``e_warp.gap1.all=0.004``; see
            :class:`vidstyle.evaluate.gate.Threshold`.
    """

    step: Annotated[int, Within(1)] = 4
    page: str | None = None
    fail_above: tuple[str, ...] = ()
    fail_below: tuple[str, ...] = ()
