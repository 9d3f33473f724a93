"""Fetching weights into a folder: the one part of vidstyle that uses the network."""

import logging
import shutil
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from vidstyle.errors import WeightsError
from vidstyle.models import weights
from vidstyle.models.hub import fetch_hub_model
from vidstyle.models.npm_registry import NpmRegistry
from vidstyle.models.package_index import PackageIndex, pip_settings, pip_ssl_context
from vidstyle.models.registry import (
    HUB,
    LIGHT_SET,
    Member,
    NpmMember,
    SamDecoder,
    Source,
    Url,
    WeightFile,
)
from vidstyle.models.sam_tensors import convert_decoder
from vidstyle.runtime.atomic import Unfinished
from vidstyle.runtime.leftovers import sweep

_TIMEOUT_S = 60.0

_log = logging.getLogger(__name__)


def fetch(names: Sequence[str] = LIGHT_SET, to: Path | None = None) -> list[Path]:
    """Fetch registry entries and hub models, skipping those already present and intact.

    A file appears under its own name only once its sha256 is verified.

    Args:
        names: entries of the registry, or of ``HUB``.
        to: the folder; None is the user's cache.

    Returns:
        The files of the entries, in order, then the folders of hub models.

    Raises:
        WeightsError: no such entry, no source responds, a download does not match the registry,
            or the folder cannot be written.
        UsageError: the hub's library is not installed.
    """
    files = [file for name in names if name not in HUB for file in weights.entry_files(name)]
    folder = to or weights.cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        with _Sources() as sources:
            fetched = [_fetch_file(file, folder, sources) for file in files]
        return fetched + [fetch_hub_model(name, folder) for name in names if name in HUB]
    except OSError as error:
        raise WeightsError(f"{folder}: cannot be written ({error.strerror})") from None


def _fetch_file(file: WeightFile, folder: Path, sources: "_Sources") -> Path:
    target = folder / file.name
    if target.is_file():
        if file.matches(weights.sha256(target)):
            _log.info("%s: already there", target)
            return target
        _log.warning("%s: corrupt; fetching it again", target)
    partial = Unfinished(target)
    failures = []
    try:
        for source in file.sources:
            try:
                sources.write(source, partial.path)
            except WeightsError as error:
                failures.append(str(error))
                continue
            if file.matches(weights.sha256(partial.path)):
                partial.finish()
                return target
            failures.append(f"{source}: the download has the wrong sha256")
    finally:
        partial.discard()
    raise WeightsError(
        f"{file.name}: cannot be fetched: {'; '.join(failures)}. Check the network, pip's index or "
        "npm's registry, or copy the file from another machine into a folder of VIDSTYLE_MODEL_PATH"
    )


class _Sources:
    """All kinds of sources; downloads are kept until all files are complete."""

    def __init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._index = self._open.enter_context(PackageIndex())
        self._npm = self._open.enter_context(NpmRegistry())
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write(self, source: Source, target: Path) -> None:
        """
        Raises:
            WeightsError: the source does not deliver the file.
        """
        match source:
            case Url(address):
                _download(address, target)
            case Member():
                self._index.extract(source, target)
            case NpmMember():
                self._npm.extract(source, target)
            case SamDecoder(graph):
                exported = target.with_name(f"{target.name}.graph")
                try:
                    self.write(graph, exported)
                    convert_decoder(exported, target)
                finally:
                    exported.unlink(missing_ok=True)


def _download(address: str, target: Path) -> None:
    _log.info("downloading %s", address)
    try:
        context = pip_ssl_context(pip_settings())
        with (
            urllib.request.urlopen(address, timeout=_TIMEOUT_S, context=context) as answer,
            target.open("wb") as copy,
        ):
            shutil.copyfileobj(answer, copy)
    except OSError as error:
        raise WeightsError(f"{address}: {error}") from None
