"""What an output cannot keep of its clip, told before it is written."""

from collections.abc import Iterator

from vidstyle.video.clip import ClipInfo
from vidstyle.video.codecs import CODECS, Codec
from vidstyle.video.colour import ColourTags

# Matroska takes the aspect from the stream, where PyAV cannot set it, or the codec's own header.
_NO_ASPECT_IN_MKV = {"ffv1", "prores_ks", "libsvtav1", "av1_nvenc"}


def losses(codec: Codec, suffix: str, info: ClipInfo) -> Iterator[str]:
    """One line for each thing that the codec or the container has no place for.

    Args:
        suffix: of the container, in lower case.
    """
    if info.alpha and not codec.alpha:
        keeping = " and ".join(other.name for other in CODECS.values() if other.alpha)
        yield f"{codec.name} has no alpha, the source's is dropped; {keeping} keep it"
    if info.bits > codec.depths[-1]:
        yield f"{info.bits} bits a component become {codec.depths[-1]} in {codec.name}"
    if info.hdr is not None and codec.hdr is None:
        yield f"{codec.name} cannot be told the HDR metadata, left out"
    if info.sample_aspect != 1 and (
        suffix == ".avi" or (suffix == ".mkv" and codec.encoder in _NO_ASPECT_IN_MKV)
    ):
        yield f"{suffix.removeprefix('.')} with {codec.name} loses the pixels' aspect"
    if suffix == ".avi":
        untold = ["timecode"] if info.timecode is not None else []
        untold += ["colour tags"] if info.colour != ColourTags() else []
        if untold:
            yield f"avi has no place for {' and '.join(untold)}, left out"
