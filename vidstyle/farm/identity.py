"""The identity of a run: its footage, settings and models, by content.

Names of folders and machines and file times are ignored: they differ across a farm.
"""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from pydantic_core import to_jsonable_python

from vidstyle import __version__
from vidstyle.choices import BACKENDS
from vidstyle.errors import MediaError
from vidstyle.farm.sealed import seal
from vidstyle.media.pattern import is_sequence, pictures
from vidstyle.models import weights
from vidstyle.motion.build import flow_weights
from vidstyle.pipeline.made import given_files, key_hashes, style_hash
from vidstyle.pipeline.parts import Parts
from vidstyle.pipeline.preparation import Request
from vidstyle.style.build import model_identity

#: Places read and bytes at each: of a file alone, and of each in a sequence. Enough to tell takes,
#: versions, truncated copies and rewritten frames apart without reading a film's gigabytes for each
#: task.
ALONE, AMONG_MANY = (64, 1 << 16), (3, 1 << 12)

#: Files of a sequence that are read at the same time: a file server takes longer to answer than to
#: read so little.
_READERS = 16


def fingerprint(source: str) -> str:
    """The sha256 over the names and sizes of a clip's files, and over samples of their bytes.

    The name of a single file does not count: copies may be named differently on other machines.

    Raises:
        MediaError: the clip is missing or unreadable.
    """
    if not is_sequence(source):
        return _sampled(Path(source), *ALONE)
    files = [file.path for file in pictures(source)]
    places, width = ALONE if len(files) == 1 else AMONG_MANY
    with ThreadPoolExecutor(_READERS) as pool:
        samples = list(pool.map(lambda file: _sampled(file, places, width), files))
    return seal({file.name: sample for file, sample in zip(files, samples, strict=True)})


def settings_hash(request: Request, footage: str, parts: Parts, hashes: dict[str, str]) -> str:
    """The sha256 of everything that determines the result.

    Args:
        footage: fingerprint of the source.
        parts: the chosen parts; their device does not count.
        hashes: of weights, see :func:`weight_hashes`.
    """
    names = {part: name for part, name in parts.names().items() if part != "device"}
    content = {
        "vidstyle": __version__,
        "footage": footage,
        "objects": [wanted.object for wanted in request.objects],
        "styles": [style_hash(wanted) for wanted in request.objects],
        "keys": [key_hashes(wanted) for wanted in request.objects],
        "given": _given(request),
        "options": to_jsonable_python(asdict(request.options)),
        "parts": names,
        "weights": hashes,
    }
    return seal(content)


def weight_hashes(model: str, flow: str | None, backend: str) -> dict[str, str]:
    """The sha256 of the files that every segment's pixels depend on.

    Args:
        model: style model, by name or by folder.
        flow: an estimator's name, or None.
        backend: as for ``--backend``; only a file has a hash, since a format's name makes each
            machine export its own.

    Raises:
        WeightsError: they cannot be read.
    """
    hashes = {"model": model_identity(model)}
    file = None if flow is None else flow_weights(flow)
    if file is not None:
        hashes["flow"] = weights.sha256(file)
    if backend not in BACKENDS:
        hashes["backend"] = weights.sha256(Path(backend))
    return hashes


def _given(request: Request) -> list[list[tuple[str, str]]]:
    """Names and hashes of the files that objects and exclusions name. Artists may retouch a few
    pixels of them, which samples would miss."""
    texts = [wanted.object for wanted in request.objects if wanted.object is not None]
    return [
        [(file.name, weights.sha256(file)) for file in files]
        for text in (*texts, *request.options.exclude)
        for files in given_files(text)
    ]


def _sampled(file: Path, places: int, width: int) -> str:
    """The sha256 over a file's size and its bytes at evenly spaced places."""
    try:
        # Unbuffered: a file server's blocks may be a hundred times the sample.
        with file.open("rb", buffering=0) as opened:
            size = os.fstat(opened.fileno()).st_size
            digest = hashlib.sha256(f"{size}\0".encode())
            end = max(0, size - width)
            for offset in sorted({i * end // (places - 1) for i in range(places)}):
                opened.seek(offset)
                digest.update(opened.read(width))
    except OSError as error:
        raise MediaError(f"{file}: cannot be read ({error.strerror})") from None
    return digest.hexdigest()
