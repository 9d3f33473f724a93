"""The identity of a run: its footage, settings and models, by content.

Names of folders and machines and file times are ignored: they differ across a farm.
"""

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from pydantic_core import to_jsonable_python

from vidstyle import __version__
from vidstyle.choices import BACKENDS
from vidstyle.errors import MediaError
from vidstyle.farm.sealed import seal
from vidstyle.media.pattern import is_sequence, pictures, split_channel
from vidstyle.models import weights
from vidstyle.motion.build import flow_weights
from vidstyle.pipeline.made import key_hashes, style_hash
from vidstyle.pipeline.parts import Parts
from vidstyle.pipeline.preparation import Request
from vidstyle.segment.prompts import MaskPrompt, MattePrompt, parse_object
from vidstyle.style.build import model_identity

#: Number of places sampled in the footage, and bytes read at each: enough to tell takes, versions
#: and truncated copies apart without reading a film's gigabytes for each task.
PLACES, WIDTH = 64, 1 << 16


def fingerprint(source: str) -> str:
    """The sha256 over the names and sizes of a clip's files, and over samples of their bytes.

    The name of a single file does not count: copies may be named differently on other machines.

    Raises:
        MediaError: the clip is missing or unreadable.
    """
    if is_sequence(source):
        return _fingerprint([file.path for file in pictures(source)], named=True)
    return _fingerprint([Path(source)], named=False)


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
        "given": [_fingerprint(files, named=True) for files in _given(request)],
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


def _given(request: Request) -> Iterable[Sequence[Path]]:
    """The files that objects and exclusions name, which artists may retouch."""
    texts = [wanted.object for wanted in request.objects if wanted.object is not None]
    for text in (*texts, *request.options.exclude):
        for prompt in parse_object(text).prompts:
            if isinstance(prompt, MaskPrompt | MattePrompt):
                name = prompt.pattern if isinstance(prompt, MattePrompt) else str(prompt.path)
                yield [file.path for file in pictures(split_channel(name)[0])]


def _fingerprint(files: Sequence[Path], named: bool) -> str:
    digest = hashlib.sha256()
    try:
        sizes = [file.stat().st_size for file in files]
        for file, size in zip(files, sizes, strict=True):
            digest.update(os.fsencode(file.name) if named else b"")
            digest.update(f"\0{size}\0".encode())
        for file, offsets in _places(files, sizes):
            with file.open("rb") as opened:
                for offset in offsets:
                    opened.seek(offset)
                    digest.update(opened.read(WIDTH))
    except OSError as error:
        raise MediaError(f"{error.filename}: cannot be read ({error.strerror})") from None
    return digest.hexdigest()


def _places(files: Sequence[Path], sizes: Sequence[int]) -> Iterable[tuple[Path, Sequence[int]]]:
    """Evenly spaced places to read: within one file, or at the start and end of some of many."""
    if len(files) == 1:
        end = max(0, sizes[0] - WIDTH)
        yield files[0], sorted({i * end // (PLACES - 1) for i in range(PLACES)})
        return
    for number in sorted({i * (len(files) - 1) // (PLACES - 1) for i in range(PLACES)}):
        yield files[number], (0, max(0, sizes[number] - WIDTH))
