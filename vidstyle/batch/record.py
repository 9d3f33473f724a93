"""A batch's record of a shot, so that finished shots are not rendered again."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from vidstyle.media.pattern import matching
from vidstyle.pipeline.made import Identity, identity
from vidstyle.runtime.atomic import replacing
from vidstyle.runtime.nesting import parsed


@dataclass(frozen=True)
class Record:
    """
    Attributes:
        state: ``started``, ``done`` or ``failed``.
        request: fingerprint of everything that the output depends on.
        target: the output, relative to the batch's folder; the batch owns what is there.
        files: of the output, when it was last finished.
        report: see :class:`vidstyle.pipeline.report.Report`.
        seconds: render time.
        warnings: logged during the render.
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
        """None if it is missing or unreadable: the shot is rendered again."""
        try:
            content = parsed(json.loads, path.read_text(encoding="utf-8"))
            return cls(**{**content, "files": [tuple(each) for each in content["files"]]})
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write it atomically.

        Raises:
            MediaError: the disk write fails.
        """
        with replacing(path) as file:
            file.write(json.dumps(asdict(self), indent=1).encode())

    def finished(self, request: str, target: str) -> bool:
        """Whether the output, ``target``, matches the request and is unchanged since."""
        return (
            self.state == "done"
            and self.request == request
            and bool(self.files)
            and self.files == identity(file.path for file in matching(target))
        )
