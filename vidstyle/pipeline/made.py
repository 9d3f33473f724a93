"""Records of finished outputs, kept beside them so that they are not made again or mistaken for
others.

The hidden folder :data:`FOLDER` beside an output holds a small file: the fingerprint of everything
that the output depends on and, once it is complete, the list of its files.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from vidstyle import __version__
from vidstyle.carry.key import KeyName
from vidstyle.errors import MediaError
from vidstyle.media.pattern import PICTURE_SUFFIXES, matching, pictures, split_channel
from vidstyle.models import weights
from vidstyle.options import StyledObject
from vidstyle.pipeline.preparation import Request
from vidstyle.runtime.atomic import unwritable, write_text
from vidstyle.runtime.device import select_device
from vidstyle.runtime.leftovers import shortened
from vidstyle.runtime.nesting import parsed
from vidstyle.segment.prompts import MaskPrompt, MattePrompt, parse_object
from vidstyle.style.build import choose_model, model_identity

#: Folder beside the outputs that holds the records.
FOLDER = ".vidstyle"

# Options that change how a clip is rendered but not the result. ``batch`` is not among them: the
# box around a moving object spans its whole batch.
_NO_MATTER = ("device", "flow_cache", "flow_cache_size")

Identity = list[tuple[str, int, int]]
"""Names, sizes and modification times of files."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """The record of one output.

    Attributes:
        path: of the record.
        request: fingerprint of the request; None if unknown.
        outputs: names and patterns of what the request writes, relative to the output's folder.
        files: files of the result, relative to the output's folder; empty until complete.
    """

    path: Path
    request: str | None = None
    outputs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @classmethod
    def beside(cls, target: str) -> Self:
        """The current record of an output; an unreadable one counts as empty."""
        path = Path(target)
        path = path.with_name(FOLDER) / f"{shortened(path.name)}.json"
        try:
            content = parsed(json.loads, path.read_text(encoding="utf-8"))
            outputs, files = (tuple(map(str, content[name])) for name in ("outputs", "files"))
            return cls(path, str(content["request"]), outputs, files)
        except (OSError, ValueError, LookupError, TypeError):
            return cls(path)

    def unknown(self, targets: Sequence[str]) -> list[str]:
        """Those of some files and patterns that exist, but that vidstyle did not write with this
        output."""
        return [t for t in targets if matching(t) and self._relative(t) not in self.outputs]

    def holds(self, request: str) -> bool:
        """Whether a request's complete output exists. Its pictures may have been retouched."""
        there = all((self._folder / name).is_file() for name in self.files)
        return self.request == request and bool(self.files) and there

    @contextmanager
    def making(self, request: str, targets: Sequence[str]) -> Iterator[None]:
        """Context in which the output is written. If that fails, pictures already written stay,
        recorded as vidstyle's; if nothing was written, no record is left. A complete output is
        kept even if it cannot be recorded.

        Args:
            targets: files and patterns of the output. Only pictures written within the context
                count: others may match the pattern.

        Raises:
            MediaError: the record cannot be written; raised before anything else is.
        """
        try:
            self._begin(request, targets)
            yield
        except BaseException:
            if not any(map(matching, targets)):
                self._forget()
            raise
        try:
            begun = self.path.stat().st_mtime_ns
            files = [
                self._relative(file.path)
                for target in targets
                for file in matching(target)
                if file.path.stat().st_mtime_ns >= begun
            ]
            self._write(request, targets, files)
        except (OSError, MediaError) as error:
            log.warning("%s: not remembered, --resume will make it again (%s)", self.path, error)

    def _begin(self, request: str, targets: Sequence[str]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from None
        self._write(request, targets, [])

    def _forget(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.parent.rmdir()  # unless it holds other records

    @property
    def _folder(self) -> Path:
        """The output's folder."""
        return self.path.parent.parent

    def _relative(self, name: str | Path) -> str:
        return os.path.relpath(name, self._folder)

    def _write(self, request: str, targets: Sequence[str], files: list[str]) -> None:
        outputs = [self._relative(target) for target in targets]
        content = {
            "vidstyle": __version__, "request": request, "outputs": outputs, "files": files
        }  # fmt: skip
        write_text(self.path, json.dumps(content, indent=1) + "\n")


def identity(files: Iterable[Path]) -> Identity:
    """Identity of files.

    Raises:
        MediaError: one has gone, or is a link to nothing.
    """
    try:
        return [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]
    except FileNotFoundError as error:
        raise MediaError(f"{error.filename}: has gone, or is a link to nothing") from None


def fingerprint(request: Request, **more: object) -> str:
    """Fingerprint of all that an output depends on: source files, styles, mattes, options, model.

    Files count by name, size and modification time, so that a project may move; styles and the
    model count by content.

    Args:
        more: further dependencies, of JSON types.

    Raises:
        UsageError: an object or exclusion is malformed.
        MediaError: the source or a style is missing.
        WeightsError: the model is missing.
    """
    told: Mapping[str, Any] = {
        "vidstyle": __version__,
        "source": _files(request.source),
        "objects": [
            (wanted.object, _mattes(wanted.object), style_hash(wanted), key_hashes(wanted))
            for wanted in request.objects
        ],
        "excluded": [_mattes(spec, "--exclude") for spec in request.options.exclude],
        "options": {k: v for k, v in asdict(request.options).items() if k not in _NO_MATTER},
        "model": model_identity(
            choose_model(request.options.model, select_device(request.options.device))[0]
        ),
        **more,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def style_hash(wanted: StyledObject) -> str | None:
    """Hash of the style picture; None without a style.

    Raises:
        MediaError: no such picture.
    """
    if wanted.style is None:
        return None
    if not Path(wanted.style).is_file():
        raise MediaError(f"{wanted.style}: no such style picture; check the name")
    return weights.sha256(Path(wanted.style))


def key_hashes(wanted: StyledObject) -> list[tuple[int, str]]:
    """Frames and hashes of painted keys.

    Raises:
        UsageError, MediaError: a key names no frame, or its picture does not exist.
    """
    names = [KeyName.parsed(text) for text in wanted.keys]
    for name in names:
        name.check()
    return [(name.frame, weights.sha256(name.path)) for name in names]


def given_files(spec: str, option: str = "--object") -> list[list[Path]]:
    """The existing files that each mask and matte of a SPEC names: artists may retouch them.

    Raises:
        UsageError: see ``parse_object``.
    """
    found = []
    for prompt in parse_object(spec, option).prompts:
        match prompt:
            case MaskPrompt(path):
                found.append(_listed(str(path)))
            case MattePrompt(pattern):
                found.append(_listed(split_channel(pattern)[0]))
    return found


def _listed(name: str) -> list[Path]:
    path = Path(name)
    if path.is_dir():  # not as one sequence: a folder of stills' mattes has one for each, by name
        shown = (file for file in path.iterdir() if not file.name.startswith("."))
        return sorted(file for file in shown if file.suffix.lower() in PICTURE_SUFFIXES)
    return [file.path for file in matching(name)]


def _files(source: str) -> Identity:
    path = Path(source)
    if path.is_file():
        return identity([path])
    return identity(file.path for file in pictures(source))


def _mattes(spec: str | None, option: str = "--object") -> list[Identity]:
    return [] if spec is None else [identity(files) for files in given_files(spec, option)]
