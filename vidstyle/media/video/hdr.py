"""Static HDR metadata: the mastering display (SMPTE ST 2086) and content light (CTA-861.3).

FFmpeg decodes it to side data of frames. PyAV can read that but not attach it, so it is written
through the encoders' own parameters, into the bitstream.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import av

from vidstyle.media.video.side_data import side_data

# Units of the SEI message (H.265, D.3.28): chromaticity 0.00002, luminance 0.0001 cd/m².
_CHROMATICITY = 50_000
_LUMINANCE = 10_000


@dataclass(frozen=True)
class HdrMetadata:
    """The display that a clip was graded on, and how bright the clip gets.

    Attributes:
        primaries: CIE x, y of red, green, blue and white, in units of 0.00002; None if not stated.
        luminance: least and most of the display, in units of 0.0001 cd/m²; None if not stated.
        content_light: MaxCLL and MaxFALL in cd/m²; None if not stated.
    """

    primaries: tuple[int, ...] | None = None
    luminance: tuple[int, int] | None = None
    content_light: tuple[int, int] | None = None


def hdr_of(frame: av.VideoFrame) -> HdrMetadata | None:
    """The metadata on a decoded frame; None if there is none."""
    mastering = side_data(frame, "MASTERING_DISPLAY_METADATA")
    light = side_data(frame, "CONTENT_LIGHT_LEVEL")
    if mastering is None and light is None:
        return None
    primaries = luminance = content_light = None
    if mastering is not None:
        # AVMasteringDisplayMetadata: red, green, blue, white, luminance as int/int, two flags.
        *numbers, has_primaries, has_luminance = struct.unpack("=22i", mastering)
        ratios = [Fraction(n, d or 1) for n, d in zip(numbers[::2], numbers[1::2], strict=True)]
        if has_primaries:
            primaries = tuple(round(ratio * _CHROMATICITY) for ratio in ratios[:8])
        if has_luminance:
            luminance = round(ratios[8] * _LUMINANCE), round(ratios[9] * _LUMINANCE)
    if light is not None:
        most, average = struct.unpack_from("=2I", light)
        # Zeros stand for unknown, and x265 writes them beside a mastering display.
        content_light = (most, average) if most or average else None
    return HdrMetadata(primaries, luminance, content_light)


def encoder_options(hdr: HdrMetadata, option: str) -> Mapping[str, str]:
    """FFmpeg's option with the metadata in the syntax of its encoder.

    Args:
        option: ``x264-params``, ``x265-params`` or ``svtav1-params``.
    """
    display, light = {
        "x264-params": ("mastering-display", "cll"),
        "x265-params": ("master-display", "max-cll"),
        "svtav1-params": ("mastering-display", "content-light"),
    }[option]
    # SVT takes CIE coordinates and cd/m², the others the SEI message's units.
    as_numbers = option == "svtav1-params"
    parameters = []
    if hdr.primaries is not None and hdr.luminance is not None:
        x = [f"{p / _CHROMATICITY:.5f}" if as_numbers else str(p) for p in hdr.primaries]
        low, high = (f"{v / _LUMINANCE:.4f}" if as_numbers else str(v) for v in hdr.luminance)
        parameters.append(
            f"{display}=G({x[2]},{x[3]})B({x[4]},{x[5]})R({x[0]},{x[1]})WP({x[6]},{x[7]})"
            f"L({high},{low})"
        )
    if hdr.content_light is not None:
        parameters.append(f"{light}={hdr.content_light[0]},{hdr.content_light[1]}")
    return {option: ":".join(parameters)} if parameters else {}
