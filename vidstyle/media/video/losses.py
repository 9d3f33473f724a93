"""What an output cannot keep of its clip, reported before it is written."""

from collections.abc import Iterator

from vidstyle.media.video.clip import ClipInfo
from vidstyle.media.video.codecs import CODECS, COUNTED, Codec
from vidstyle.media.video.colour import ColourTags
from vidstyle.media.video.encoder import chroma_of

# Matroska and MXF take the aspect from the stream, where PyAV cannot set it; Matroska also from the
# header of some codecs.
_NO_ASPECT_IN_MKV = {"ffv1", "prores_ks", "libsvtav1", "av1_nvenc"}


def halved_chroma(info: ClipInfo) -> str | None:
    """Message for a clip whose chroma is halved in size; None if it already is."""
    if not info.is_sequence and chroma_of(info) == "420":
        return None
    return "colours at half the size (4:2:0), which players take; --codec h264 or hevc keeps more"


def losses(codec: Codec, suffix: str, info: ClipInfo) -> Iterator[str]:
    """One line for each thing that the codec or the container cannot hold.

    Args:
        suffix: of the container, in lower case.
    """
    if info.alpha and not codec.alpha:
        keeping = " and ".join(other.name for other in CODECS.values() if other.alpha)
        yield f"{codec.name} has no alpha, the source's is dropped; {keeping} keep it"
    if codec.pads_odd and (info.width % 2 or info.height % 2):
        even = f"{info.width + info.width % 2}x{info.height + info.height % 2}"
        yield (
            f"{info.width}x{info.height} is written as {even}, the edge repeated, since players "
            "take even sizes only; --codec h264 or ffv1 keeps the size"
        )
    if info.bits > codec.depths[-1]:
        yield f"{info.bits} bits a component become {codec.depths[-1]} in {codec.name}"
    if info.hdr is not None and codec.hdr is None:
        yield f"{codec.name} cannot carry the HDR metadata, left out"
    if info.sample_aspect != 1 and (
        suffix in COUNTED or (suffix == ".mkv" and codec.encoder in _NO_ASPECT_IN_MKV)
    ):
        yield f"{suffix.removeprefix('.')} with {codec.name} loses the pixels' aspect"
    if suffix == ".avi":
        untold = ["timecode"] if info.timecode is not None else []
        untold += ["colour tags"] if info.colour != ColourTags() else []
        if untold:
            yield f"avi has no place for {' and '.join(untold)}, left out"
