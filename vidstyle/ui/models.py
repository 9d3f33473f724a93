"""The models of the page, loaded once for everybody."""

from dataclasses import replace
from functools import lru_cache

from vidstyle.options import DEFAULTS, RenderOptions
from vidstyle.pipeline.parts import Parts, build_parts


def kept_parts(options: RenderOptions) -> Parts:
    """The parts of a render with these options, which depend on none of the looks.

    Raises:
        DeviceError, WeightsError, UsageError: see each part.
    """
    looks = (
        *("strength", "detail", "style_scale", "supersample", "feather", "invert", "preserve"),
        *("first", "last"),
    )
    return _parts(replace(options, **{look: getattr(DEFAULTS, look) for look in looks}))


_parts = lru_cache(maxsize=2)(build_parts)
