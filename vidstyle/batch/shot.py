"""A shot of a batch, before anything of it is opened."""

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Protocol

from vidstyle.batch.names import plain_name
from vidstyle.constraints import read
from vidstyle.errors import UsageError
from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.ranges import frame_range
from vidstyle.options import MachineOptions, RenderOptions


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
        name: distinguishes it in the list; its output is named for it.
        source: as a render takes it.
        objects: SPECs; empty for the command line's, or the whole frame.
        styles: pictures, one for all objects or one each; empty for the command line's.
        keys: painted frames, ``FILE@FRAME``; of several objects ``FILE@FRAME#N``.
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
    keys: tuple[str, ...] = ()
    range: Range = WHOLE
    handles: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    output: str | None = None
    trouble: str | None = None


# A shot's range has fields of its own, and the machine is the same for all shots.
_NOT_OF_A_SHOT = {"first", "last", *vars(MachineOptions())}

#: Of ``RenderOptions``, what a list may set for a shot.
OPTIONS = tuple(
    option.name for option in fields(RenderOptions) if option.name not in _NOT_OF_A_SHOT
)

_OWN = ("name", "source", "in", "out", "handles", "object", "style", "key", "output")


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
        UsageError: a field that there is not, or that are not valid.
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
            raise UsageError(f"{where}: unknown field {key!r}{hint}")
    known = known or Shot(name="", source="")
    source = path_of(told["source"]) if "source" in told else known.source
    if not source and known.trouble is None:
        raise UsageError(f"{where}: no source; name a clip or an image sequence")
    named = Named(told.get("in"), told.get("out"))
    return Shot(
        name=told.get("name") or known.name or plain_name(source),
        source=source,
        objects=tuple(split(told.get("object", ""))) or known.objects,
        styles=tuple(map(path_of, split(told.get("style", "")))) or known.styles,
        keys=tuple(map(path_of, split(told.get("key", "")))) or known.keys,
        range=known.range if named == WHOLE else named,
        handles=_handles(told["handles"], where) if "handles" in told else known.handles,
        options={key: _read(key, told[key], where) for key in OPTIONS if key in told},
        output=told.get("output", known.output),
        trouble=known.trouble,
    )


def _handles(text: str, where: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"{where}: handles {text!r}: not a number of frames")
    return int(text)


def _read(key: str, text: str, where: str) -> Any:
    try:
        return read(RenderOptions, key, text)
    except ValueError as error:
        raise UsageError(f"{where}: {key} {text!r}: {error}") from None
