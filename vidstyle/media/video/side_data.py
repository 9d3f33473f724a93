"""What decoders attach to frames, by FFmpeg's names."""

from functools import cache
from typing import Any, cast

import av
from av.sidedata.sidedata import SideData, Type


def side_data(frame: av.VideoFrame, name: str) -> bytes | None:
    """The bytes of ``AV_FRAME_DATA_<name>`` on a decoded frame; None if there is none."""
    _take_newer_types()
    found = frame.side_data.get(name)
    return None if found is None else bytes(cast(SideData, found))


@cache
def _take_newer_types() -> None:
    """Let PyAV skip what it has no name for, such as EXIF: otherwise one kind known only to its
    FFmpeg makes it reject all side data of a frame."""

    def unnamed(kind: type[Type], value: object) -> Any:
        member: Any = object.__new__(kind)
        member._name_, member._value_ = f"UNNAMED_{value}", value
        return member

    Type._missing_ = classmethod(unnamed)  # type: ignore[assignment,method-assign]
