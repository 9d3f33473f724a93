"""Create a study's folder from folders of results."""

import filecmp
import logging
import secrets
import shutil
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from vidstyle.errors import MediaError, UsageError
from vidstyle.evaluate.study.study import MEDIA, Item, Study
from vidstyle.media.video.reader import open_clip
from vidstyle.runtime.atomic import replacing_folder

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = (".mp4", ".webm")

# Codecs and pixel formats that every browser plays.
_CODECS = ("h264", "vp8", "vp9", "av1")
_PIXELS = ("yuv420p", "yuvj420p")

log = logging.getLogger(__name__)


def make_study(
    folders: Sequence[Path],
    target: Path,
    question: str,
    reference: Path | None = None,
    trials_each: int | None = None,
) -> Study:
    """Copy results under random names, and record which method each belongs to.

    Args:
        folders: one per method, at least two; files of equal name are results of one plate.
        target: the study's folder, which must not exist.
        reference: a folder of pictures or videos to show alongside: plates, or the style.

    Raises:
        UsageError: fewer than two folders, two of equal name, an empty question, or ``target``
            exists or has no parent folder.
        MediaError: the folders share no file, or a file cannot be shown in a browser.
    """
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < max(2, len(names)):
        raise UsageError(f"{', '.join(names)}: give two folders or more, with different names")
    if not question.strip():
        raise UsageError("--question is empty; raters need to know what to judge")
    if target.exists():
        raise UsageError(f"{target}: exists; name a new folder")
    if not target.resolve().parent.is_dir():
        raise UsageError(f"{target}: there is no folder {target.parent}; make it first")
    shared = _shared(folders)
    with replacing_folder(target.resolve()) as whole:
        (whole / MEDIA).mkdir()
        items = []
        for name in shared:
            _warn_of_copies([folder / name for folder in folders])
            results = tuple(_copied(folder / name, whole / MEDIA) for folder in folders)
            beside = _beside(reference, name)
            shown = _copied(beside, whole / MEDIA) if beside else None
            items.append(Item(name, results, shown))
        study = Study(question, tuple(names), tuple(items), trials_each)
        study.write(whole)
    return study


def _shared(folders: Sequence[Path]) -> list[str]:
    """Names of files that are in every folder; others are logged."""
    found = []
    for folder in folders:
        if not folder.is_dir():
            raise MediaError(f"{folder}: not a folder; give folders of results")
        files = {path.name for path in folder.iterdir() if _is_shown(path)}
        found.append(files)
    shared = sorted(set.intersection(*found))
    if not shared:
        raise MediaError(
            f"{folders[0]}: shares no file with the others; results of one plate must have one "
            f"name, and be of {' '.join(PICTURES + VIDEOS)}"
        )
    for folder, files in zip(folders, found, strict=True):
        if left_out := sorted(files - set(shared)):
            log.warning("%s: not in all folders, left out: %s", folder, ", ".join(left_out))
    return shared


def _warn_of_copies(results: Sequence[Path]) -> None:
    """Raters cannot choose between results of which one is a copy of another."""
    for one, other in combinations(results, 2):
        if filecmp.cmp(one, other, shallow=False):
            log.warning("%s and %s are the same file", one, other)


def _is_shown(path: Path) -> bool:
    suffix = path.suffix.lower()
    return suffix in PICTURES + VIDEOS and not path.name.startswith(".") and path.is_file()


def _beside(reference: Path | None, name: str) -> Path | None:
    """The reference of an item: a file with the same stem."""
    if reference is None:
        return None
    if not reference.is_dir():
        raise MediaError(f"--reference {reference}: not a folder")
    alike = (path for path in sorted(reference.iterdir()) if path.stem == Path(name).stem)
    found = next(filter(_is_shown, alike), None)
    if found is None:
        raise MediaError(f"--reference {reference}: has no picture or video for {name}")
    return found


def _copied(path: Path, folder: Path) -> str:
    """Copy a file under a random name, which is returned."""
    info = open_clip(str(path)).info
    if path.suffix.lower() in VIDEOS and (info.codec not in _CODECS or info.pix_fmt not in _PIXELS):
        raise MediaError(
            f"{path}: browsers do not play {info.codec} in {info.pix_fmt}; "
            "render it with --codec h264"
        )
    name = secrets.token_hex(8) + path.suffix.lower()
    shutil.copyfile(path, folder / name)
    return name
