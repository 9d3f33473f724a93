"""Render the shots of a batch in sequence; a failure does not stop the rest."""

import logging
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vidstyle.batch.record import Record
from vidstyle.batch.shot import WHOLE, Range, Shot
from vidstyle.batch.targets import names_of, target_of
from vidstyle.errors import MediaError, UsageError, VidstyleError
from vidstyle.media.pattern import is_pattern, matching
from vidstyle.media.video.probe import probe
from vidstyle.media.video.target import target_exists
from vidstyle.options import RenderOptions, pair
from vidstyle.pipeline.job import Job, run
from vidstyle.pipeline.made import FOLDER, Identity, fingerprint, identity
from vidstyle.runtime.progress import Progress
from vidstyle.runtime.system import lock as hold
from vidstyle.words import counted

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Defaults:
    """Settings for shots whose list entry does not override them.

    Attributes:
        objects: SPECs; empty for the whole frame.
        styles: one for all objects or one each; empty if every shot names its own.
        options: all but the range.
        range: the part of every clip to render.
        handles: extra frames on either side.
    """

    objects: tuple[str, ...]
    styles: tuple[str, ...]
    options: RenderOptions
    range: Range = WHOLE
    handles: int = 0


@dataclass(frozen=True)
class Result:
    """The result of a shot.

    Attributes:
        name: file-safe, see ``targets.names_of``.
        state: ``done``, ``kept`` (finished earlier), ``failed``, or ``left`` (not finished, and not
            to be rendered now).
        job: the render; None if it failed before that.
        error: why it failed; None if it did not.
        report: see :class:`vidstyle.pipeline.report.Report`; empty for a failure.
        seconds: render time, now or earlier.
        warnings: logged during the render.
    """

    shot: Shot
    name: str
    state: str
    job: Job | None = None
    error: str | None = None
    report: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0
    warnings: tuple[str, ...] = ()


def run_batch(
    shots: Sequence[Shot],
    root: Path,
    defaults: Defaults,
    progress: Progress,
    *,
    only: Collection[str] = (),
    overwrite: bool = False,
) -> list[Result]:
    """Render every unfinished shot; a failure does not stop the others.

    Args:
        root: folder of the outputs, made if missing; nothing is written elsewhere.
        only: names of the shots to render; empty for all.
        overwrite: whether files that this batch did not make may be replaced.

    Raises:
        UsageError: another batch is running in ``root``, or the list leads outside it.
        MediaError: the folder cannot be made, or a style for all shots is missing.
        Cancelled: shots finished so far are kept.
    """
    names = names_of(shots)
    if not all(shot.styles for shot in shots):
        _check_there(defaults.styles)
    with _alone_in(root):
        targets = [
            target_of(shot, name, shot.options.get("codec", defaults.options.codec), root)
            for shot, name in zip(shots, names, strict=True)
        ]
        _check_apart(shots, targets)
        results = []
        for number, (shot, name, target) in enumerate(zip(shots, names, targets, strict=True)):
            if only and name not in only:
                results.append(_earlier(shot, name, target, root, defaults))
                continue
            log.info("shot %d of %d: %s", number + 1, len(shots), name)
            results.append(_run(shot, name, target, root, defaults, progress, overwrite))
    return results


@contextmanager
def _alone_in(root: Path) -> Iterator[None]:
    try:
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        lock = (root / FOLDER / "lock").open("w")
    except OSError as error:
        raise UsageError(f"{root}: cannot write to this folder ({error.strerror})") from None
    with lock:
        try:
            hold(lock)
        except OSError:
            raise UsageError(
                f"{root}: another batch is running there; wait for it to finish"
            ) from None
        yield


def _check_apart(shots: Sequence[Shot], targets: Sequence[str]) -> None:
    taken: dict[str, Shot] = {}
    for shot, target in zip(shots, targets, strict=True):
        other = taken.setdefault(target.casefold(), shot)
        if other is not shot:
            raise UsageError(
                f"shots {other.name} and {shot.name} both go to {target}; name two outputs"
            )


def _run(
    shot: Shot,
    name: str,
    target: str,
    root: Path,
    defaults: Defaults,
    progress: Progress,
    overwrite: bool,
) -> Result:
    path, own = _record_of(name, root), str(Path(target).relative_to(root))
    job: Job | None = None
    began = time.monotonic()
    with _listening() as warnings:
        try:
            job = _job(shot, target, defaults)
            request = fingerprint(job, target=Path(target).name)
            before = Record.read(path)
            old: Identity = []
            if before is not None and before.target == own:
                if before.finished(request, target):
                    return _kept(shot, name, job, before)
                overwrite, old = True, before.files
            elif target_exists(target) and not overwrite:
                raise UsageError(
                    f"{target}: exists, and this batch did not write it; add --overwrite"
                )
            # Should this attempt fail, the next one still knows what is left of earlier renders.
            Record("started", request, own, old).write(path)
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            report = run(replace(job, overwrite=overwrite), progress).content
            _drop_stale(target, old)
            _warn_if_short(shot, name, defaults, job, report)
            seconds = round(time.monotonic() - began, 1)
            files = identity(file.path for file in matching(target))
            try:
                Record("done", request, own, files, report, seconds, warnings).write(path)
            except MediaError as error:
                log.warning("shot %s is done, but will be rendered again: %s", name, error)
            return Result(shot, name, "done", job, None, report, seconds, tuple(warnings))
        except VidstyleError as error:
            reason = str(error)
        except Exception as error:
            log.exception("shot %s", name)
            reason = f"this is a bug: {error}"
    log.error("shot %s: %s", name, reason)
    seconds = round(time.monotonic() - began, 1)
    return Result(shot, name, "failed", job, reason, {}, seconds, tuple(warnings))


def _earlier(shot: Shot, name: str, target: str, root: Path, defaults: Defaults) -> Result:
    """A shot that is not to be rendered now."""
    try:
        job = _job(shot, target, defaults)
        before = Record.read(_record_of(name, root))
        if before and before.finished(fingerprint(job, target=Path(target).name), target):
            return _kept(shot, name, job, before)
    except VidstyleError as error:
        log.debug("shot %s: %s", name, error)  # reported when its turn comes
    return Result(shot, name, "left")


def _kept(shot: Shot, name: str, job: Job, record: Record) -> Result:
    warnings = tuple(record.warnings)
    return Result(shot, name, "kept", job, None, record.report, record.seconds, warnings)


def _record_of(name: str, root: Path) -> Path:
    return root / FOLDER / f"{name}.json"


def _job(shot: Shot, target: str, defaults: Defaults) -> Job:
    """Raises UsageError or MediaError for problems that the list alone does not reveal."""
    if shot.trouble is not None:
        raise MediaError(shot.trouble)
    styles = shot.styles or defaults.styles
    if not styles and not shot.keys:
        raise UsageError("no style; give one in the list, or --style for all shots")
    _check_there(styles)
    handles = defaults.handles if shot.handles is None else shot.handles
    first, last = _part(shot, defaults).frames(probe(shot.source), handles)
    return Job(
        source=shot.source,
        target=target,
        objects=pair(shot.objects or defaults.objects, styles, shot.keys),
        options=replace(defaults.options, **shot.options, first=first, last=last),
    )


def _check_there(styles: Sequence[str]) -> None:
    for style in styles:
        if not Path(style).is_file():
            raise MediaError(f"{style}: no such style picture; check the name")


def _part(shot: Shot, defaults: Defaults) -> Range:
    return defaults.range if shot.range == WHOLE else shot.range


def _warn_if_short(
    shot: Shot, name: str, defaults: Defaults, job: Job, report: dict[str, Any]
) -> None:
    """Warn of frames that were asked for, other than handles, but that the clip does not have."""
    end = report["input"]["shots"][-1][1]
    if job.options.last is None or end > job.options.last:
        return
    first, last = _part(shot, defaults).frames(probe(shot.source), 0)
    if last is not None and end <= last:
        log.warning(
            "shot %s: %s missing at its end, since the clip ends at frame %d",
            name, counted(last + 1 - max(end, first or 0), "frame"), end - 1,
        )  # fmt: skip


def _drop_stale(target: str, old: Identity) -> None:
    """Remove pictures of a previous, longer render that the new one did not replace."""
    if is_pattern(target):
        for name, size, changed in old:
            file = Path(target).with_name(name)
            if file.is_file() and identity([file]) == [(name, size, changed)]:
                file.unlink()


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect the warnings logged within the context."""
    heard: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: heard.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("vidstyle")
    logger.addHandler(handler)
    try:
        yield heard
    finally:
        logger.removeHandler(handler)
