"""A shot of a batch, before anything of it is opened."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from vidstyle.batch.names import plain_name
from vidstyle.choices import EDGES, FLOWS, PRESERVED, SEGMENTERS, TEMPORAL
from vidstyle.errors import UsageError
from vidstyle.options import STYLE_SCALES
from vidstyle.video.clip import ClipInfo
from vidstyle.video.ranges import frame_range


class Range(Protocol):
    """The part of a clip that a shot is."""

    def frames(self, info: ClipInfo, handles: int) -> tuple[int | None, int | None]:
        """Numbers of its first and last frame; None for the clip's own.

        Raises:
            UsageError: it names no frames of the clip.
        """
        ...


@dataclass(frozen=True)
class Named:
    """From one frame to another, by numbers or timecodes."""

    first: str | None = None
    last: str | None = None

    def frames(self, info: ClipInfo, handles: int) -> tuple[int | None, int | None]:
        """See :class:`Range`."""
        return frame_range(info, self.first, self.last, handles)


WHOLE = Named()
"""All of a clip."""


@dataclass(frozen=True)
class Shot:
    """What the list says of one shot.

    Attributes:
        name: tells it apart in the list; its output is named for it.
        source: as a render takes it.
        objects: SPECs; empty for the command line's, or the whole frame.
        styles: pictures, one for all objects or one each; empty for the command line's.
        range: the part that is rendered.
        handles: frames more on either side; None for the command line's.
        options: fields of ``RenderOptions`` that differ from the command line's.
        output: where it goes within the batch's folder; None for its name.
        trouble: why it cannot be rendered, where the list knows already.
    """

    name: str
    source: str
    objects: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    range: Range = WHOLE
    handles: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    output: str | None = None
    trouble: str | None = None


def _flag(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false", "1", "0"):
        raise ValueError("is neither yes nor no")
    return text.lower() in ("yes", "true", "1")


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError("must lie between 0 and 1")
    return value


def _style_scale(text: str) -> float:
    value, (low, high) = float(text), STYLE_SCALES
    if not low <= value <= high:
        raise ValueError(f"must lie between {low:g} and {high:g}")
    return value


def _one_of(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"is none of {', '.join(names)}")
        return text

    return read


def _specs(text: str) -> tuple[str, ...]:
    return tuple(split(text))


#: Of ``RenderOptions``, what a list may set for a shot, and how its text is read.
OPTIONS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "strength": _fraction,
        "detail": _fraction,
        "style_scale": _style_scale,
        "feather": float,
        "invert": _flag,
        "exclude": _specs,
        "strict": _flag,
        "temporal": _one_of(*TEMPORAL),
        "flow": _one_of(*FLOWS),
        "flow_size": int,
        "segmenter": _one_of(*SEGMENTERS),
        "preserve": _one_of(*PRESERVED),
        "edges": _one_of(*EDGES),
        "colorspace": str,
        "element": _flag,
        "model": str,
        "seed": int,
        "codec": str,
    }
)

_OWN = ("name", "source", "in", "out", "handles", "object", "style", "output")


def split(text: str) -> list[str]:
    """The entries of a field that holds several, parted by ``|``."""
    return [part.strip() for part in text.split("|") if part.strip()]


def shot_of(
    fields: Mapping[str, str], where: str, path_of: Callable[[str], str], known: Shot | None = None
) -> Shot:
    """A shot from a row of texts; empty ones say nothing.

    Args:
        fields: by the names of columns; spaces and dashes in those are underscores.
        where: the place in the list, which errors begin with.
        path_of: finds the file that a name in the list stands for.
        known: what the list says of the shot elsewhere.

    Raises:
        UsageError: a field that there is not, or that cannot be meant.
    """
    told = {
        re.sub(r"[\s-]+", "_", key.strip().lower()): value.strip()
        for key, value in fields.items()
        if value.strip()
    }
    for key in told:
        if key not in _OWN and key not in OPTIONS:
            near = difflib.get_close_matches(key, [*_OWN, *OPTIONS], 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"{where}: there is no field {key!r}{hint}")
    known = known or Shot(name="", source="")
    source = path_of(told["source"]) if "source" in told else known.source
    if not source and known.trouble is None:
        raise UsageError(f"{where}: no source; name a clip or an image sequence")
    named = Named(told.get("in"), told.get("out"))
    return Shot(
        name=told.get("name") or known.name or plain_name(source),
        source=source,
        objects=_specs(told.get("object", "")) or known.objects,
        styles=tuple(map(path_of, split(told.get("style", "")))) or known.styles,
        range=known.range if named == WHOLE else named,
        handles=_read(told, "handles", _count, where) if "handles" in told else known.handles,
        options={key: _read(told, key, OPTIONS[key], where) for key in OPTIONS if key in told},
        output=told.get("output", known.output),
        trouble=known.trouble,
    )


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ValueError("is no number of frames")
    return int(text)


def _read(told: Mapping[str, str], key: str, reader: Callable[[str], Any], where: str) -> Any:
    try:
        return reader(told[key])
    except ValueError as error:
        raise UsageError(f"{where}: {key} {told[key]!r}: {error}") from None
