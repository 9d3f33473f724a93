"""The models of the page, loaded once for all users."""

from dataclasses import replace
from functools import lru_cache

from vidstyle.options import LookOptions, RenderOptions, SelectionOptions
from vidstyle.pipeline.parts import Parts, build_parts


def kept_parts(options: RenderOptions) -> Parts:
    """The parts of a render with these options, which depend on neither the look nor the
    selection.

    Raises:
        DeviceError, WeightsError, UsageError: see each part.
    """
    return _parts(replace(options, **vars(SelectionOptions()), **vars(LookOptions())))


_parts = lru_cache(maxsize=2)(build_parts)
