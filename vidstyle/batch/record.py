"""What a batch remembers of a shot, so that what is finished is not rendered again."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from vidstyle import __version__, weights
from vidstyle.atomic import replacing
from vidstyle.device import select_device
from vidstyle.pattern import matching, pictures
from vidstyle.render import Job
from vidstyle.style.build import choose_model, model_identity

#: The folder, within the batch's, that the records lie in.
FOLDER = ".vidstyle"

# Of the options, those that change how a shot is rendered and not what comes out.
_NO_MATTER = ("device", "batch", "flow_cache", "flow_cache_size")

Identity = list[tuple[str, int, int]]
"""Names, bytes and times of change of files."""


@dataclass(frozen=True)
class Record:
    """
    Attributes:
        state: ``started``, ``done`` or ``failed``.
        request: fingerprint of all that the output depends on.
        target: the output, from the batch's folder; what stands there is the batch's own.
        files: of the output, when it was done.
        report: see :class:`vidstyle.report.Report`.
        seconds: that it took.
        warnings: that were told meanwhile.
    """

    state: str
    request: str
    target: str
    files: Identity = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """None where there is none, or none that can be read: the shot is rendered again."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(**{**content, "files": [tuple(each) for each in content["files"]]})
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Whole or not at all.

        Raises:
            MediaError: the disk refuses.
        """
        with replacing(path) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())

    def finished(self, request: str, target: str) -> bool:
        """Whether the output, ``target``, is that of the request, and as it was left."""
        return (
            self.state == "done"
            and self.request == request
            and bool(self.files)
            and self.files == identity(file.path for file in matching(target))
        )


def identity(files: Iterable[Path]) -> Identity:
    """Of files that are there."""
    return [(path.name, (stat := path.stat()).st_size, stat.st_mtime_ns) for path in files]


def fingerprint(job: Job) -> str:
    """Of all that the output depends on: the source's files, styles, mattes, options, the model.

    Files count by name, size and time of change, so that a project may move; styles and the
    model by their content.

    Raises:
        MediaError: the source is missing.
        WeightsError: the model is missing.
    """
    options = {k: v for k, v in asdict(job.options).items() if k not in _NO_MATTER}
    model = choose_model(job.options.model, select_device(job.options.device))
    told = {
        "vidstyle": __version__,
        "source": _files(job.source),
        "objects": [
            (wanted.object, _mattes(wanted.object), weights.sha256(Path(wanted.style)))
            for wanted in job.objects
        ],
        "excluded": [_mattes(spec) for spec in job.options.exclude],
        "options": options,
        "model": model_identity(model),
        "target": Path(job.target).name,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


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
