"""What was made of what, remembered beside it, so that it is not made again, and nothing else is
taken for it.

Beside an output, in the hidden folder :data:`FOLDER`, lies a small file: the fingerprint of all
that the output depends on, and the files that it was, once they were whole.
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
from vidstyle.media.pattern import matching, pictures
from vidstyle.models import weights
from vidstyle.options import StyledObject
from vidstyle.pipeline.preparation import Request
from vidstyle.runtime.atomic import unwritable, write_text
from vidstyle.runtime.device import select_device
from vidstyle.runtime.leftovers import shortened
from vidstyle.runtime.nesting import parsed
from vidstyle.style.build import choose_model, model_identity

#: The folder, beside outputs, that the records lie in.
FOLDER = ".vidstyle"

# Of the options, those that change how a clip is rendered and not what comes out. ``batch`` is none
# of them: what is seen around a moving object is that of its whole batch.
_NO_MATTER = ("device", "flow_cache", "flow_cache_size")

Identity = list[tuple[str, int, int]]
"""Names, bytes and times of change of files."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """The record of one output.

    Attributes:
        path: of the record.
        request: fingerprint of what was asked for; None where nothing says.
        files: that came of it, from the output's folder; none until they are whole.
    """

    path: Path
    request: str | None = None
    files: tuple[str, ...] = ()

    @classmethod
    def beside(cls, target: str) -> Self:
        """The record of an output, as it is now; one that cannot be read says nothing."""
        path = Path(target)
        path = path.with_name(FOLDER) / f"{shortened(path.name)}.json"
        try:
            content = parsed(json.loads, path.read_text(encoding="utf-8"))
            return cls(path, str(content["request"]), tuple(map(str, content["files"])))
        except (OSError, ValueError, LookupError, TypeError):
            return cls(path)

    @property
    def known(self) -> bool:
        """Whether what stands at the output's place is vidstyle's own."""
        return self.request is not None

    def holds(self, request: str) -> bool:
        """Whether the output of a request is there, whole. Pictures may have been retouched."""
        there = all((self._folder / name).is_file() for name in self.files)
        return self.request == request and bool(self.files) and there

    @contextmanager
    def making(self, request: str, targets: Sequence[str]) -> Iterator[None]:
        """Within, the output is written. When that fails, pictures that were written stay, and are
        known for vidstyle's own; where nothing was written, nothing is left. That a whole output
        cannot be remembered does not spoil it.

        Args:
            targets: files and patterns that the output consists of. Of pictures, those count that
                come meanwhile: there may be others of the pattern.

        Raises:
            MediaError: the disk refuses, before anything is written.
        """
        try:
            self._begin(request)
            yield
        except BaseException:
            if not any(map(matching, targets)):
                self._forget()
            raise
        try:
            begun = self.path.stat().st_mtime_ns
            files = [
                os.path.relpath(file.path, self._folder)
                for target in targets
                for file in matching(target)
                if file.path.stat().st_mtime_ns >= begun
            ]
            self._write(request, files)
        except (OSError, MediaError) as error:
            log.warning("%s: not remembered, --resume will make it again (%s)", self.path, error)

    def _begin(self, request: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from None
        self._write(request, [])

    def _forget(self) -> None:
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            self.path.parent.rmdir()  # unless it holds other records

    @property
    def _folder(self) -> Path:
        """Of the output."""
        return self.path.parent.parent

    def _write(self, request: str, files: list[str]) -> None:
        content = {"vidstyle": __version__, "request": request, "files": files}
        write_text(self.path, json.dumps(content, indent=1) + "\n")


def identity(files: Iterable[Path]) -> Identity:
    """Of files that are there."""
    return [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]


def fingerprint(request: Request, **more: object) -> str:
    """Of all that an output depends on: the source's files, styles, mattes, options, the model.

    Files count by name, size and time of change, so that a project may move; styles and the
    model by their content.

    Args:
        more: what else there is, of JSON's types.

    Raises:
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
        "excluded": [_mattes(spec) for spec in request.options.exclude],
        "options": {k: v for k, v in asdict(request.options).items() if k not in _NO_MATTER},
        "model": model_identity(
            choose_model(request.options.model, select_device(request.options.device))[0]
        ),
        **more,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def style_hash(wanted: StyledObject) -> str | None:
    """None where there is no style.

    Raises:
        MediaError: there is no such picture.
    """
    if wanted.style is None:
        return None
    if not Path(wanted.style).is_file():
        raise MediaError(f"{wanted.style}: no such style picture; check the name")
    return weights.sha256(Path(wanted.style))


def key_hashes(wanted: StyledObject) -> list[tuple[int, str]]:
    """Frames and hashes of painted keys.

    Raises:
        UsageError, MediaError: a key names no frame, or there is no such picture.
    """
    names = [KeyName.parsed(text) for text in wanted.keys]
    for name in names:
        name.check()
    return [(name.frame, weights.sha256(name.path)) for name in names]


def _files(source: str) -> Identity:
    path = Path(source)
    if path.is_file():
        return identity([path])
    return identity(file.path for file in pictures(source))


def _mattes(spec: str | None) -> list[Identity]:
    """Of the files that a SPEC names."""
    found = []
    for prompt in (spec or "").split("+"):
        kind, _, name = prompt.partition(":")
        if kind in ("mask", "matte"):
            path = Path(name)
            file = name if path.exists() else name.rpartition("@")[0] or name
            listed = sorted(path.iterdir()) if path.is_dir() else (m.path for m in matching(file))
            found.append(identity(listed))
    return found
