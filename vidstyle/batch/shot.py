"""A shot of a batch, before any of its files are opened."""

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
    """The part of a clip that makes up a shot."""

    def frames(self, info: ClipInfo, handles: int) -> tuple[int | None, int | None]:
        """Numbers of its first and last frame; None for the clip's own.

        Raises:
            UsageError: it selects no frames of the clip.
        """
        ...


@dataclass(frozen=True)
class Named:
    """A range of frames, by numbers or timecodes."""

    first: str | None = None
    last: str | None = None

    def frames(self, info: ClipInfo, handles: int) -> tuple[int | None, int | None]:
        """See :class:`Range`."""
        return frame_range(info, self.first, self.last, handles)


WHOLE = Named()
"""All of a clip."""


@dataclass(frozen=True)
class Shot:
    """One shot's entry in the list.

    Attributes:
        name: identifies it in the list; its output is named after it.
        source: as for a render.
        objects: SPECs; empty for the command line's, or the whole frame.
        styles: pictures, one for all objects or one each; empty for the command line's.
        keys: painted frames, ``FILE@FRAME``; with several objects ``FILE@FRAME#N``.
        range: the part to render.
        handles: extra frames on either side; None for the command line's.
        options: fields of ``RenderOptions`` that differ from the command line's.
        output: path within the batch's folder; None to use its name.
        trouble: why it cannot be rendered, if known from the list.
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


# A shot's range has its own fields, and the machine is the same for all shots.
_NOT_OF_A_SHOT = {"first", "last", *vars(MachineOptions())}

#: Fields of ``RenderOptions`` that a list may set for a shot.
OPTIONS = tuple(
    option.name for option in fields(RenderOptions) if option.name not in _NOT_OF_A_SHOT
)

_OWN = ("name", "source", "in", "out", "handles", "object", "style", "key", "output")


def split(text: str) -> list[str]:
    """The entries of a field, separated by ``|``."""
    return [part.strip() for part in text.split("|") if part.strip()]


def shot_of(
    fields: Mapping[str, str], where: str, path_of: Callable[[str], str], known: Shot | None = None
) -> Shot:
    """Build a shot from a row of text fields; empty ones are ignored.

    Args:
        fields: by column name; spaces and dashes in names count as underscores.
        where: location in the list, which error messages begin with.
        path_of: resolves a name in the list to a file.
        known: what the list specifies for the shot elsewhere.

    Raises:
        UsageError: an unknown or invalid field.
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
