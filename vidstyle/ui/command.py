"""The command line equivalent to the page, with file names that are valid in any folder."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from vidstyle.constraints import option_of
from vidstyle.options import WHOLE_FRAME, RenderOptions
from vidstyle.ui.selection import Wish

#: Name of the command line as a file.
SCRIPT = "render.sh"


def output_of(clip: Path) -> str:
    """File name of a clip's result."""
    return f"{clip.stem}.styled.mp4"


def names_of(clip: Path, wishes: Sequence[Wish]) -> dict[Path, str]:
    """Names of clip, masks, styles and painted frames in one folder: each keeps its own name, with
    a number if that is taken."""
    files = [clip]
    for wish in wishes:
        files += [wish.object.mask] if wish.object.mask else []
        files += [wish.style] if wish.style else []
        files += [path for path, _ in wish.keys]
    names: dict[Path, str] = {}
    taken = {output_of(clip), SCRIPT}
    for file in dict.fromkeys(files):
        name, number = file.name, 1
        while name in taken:
            number += 1
            name = f"{file.stem}-{number}{file.suffix}"
        names[file] = name
        taken.add(name)
    return names


def command(clip: Path, wishes: Sequence[Wish], options: RenderOptions) -> str:
    """The command line, to be run in the folder with the files of :func:`names_of`.

    Raises:
        ValueError: an object was not pointed at.
    """
    names = names_of(clip, wishes)
    words = ["vidstyle", "render", _plain(names[clip])]
    for number, wish in enumerate(wishes, 1):
        spec, mask = wish.object.spec(), wish.object.mask
        if spec is not None and mask is not None:
            spec = spec.replace(str(mask), names[mask])
        if spec is not None or len(wishes) > 1:
            words += ["--object", spec or WHOLE_FRAME]
        if wish.style is not None:
            words += ["--style", _plain(names[wish.style])]
        whose = f"#{number}" if len(wishes) > 1 else ""
        for path, frame in wish.keys:
            words += ["--key", f"{_plain(names[path])}@{frame}{whose}"]
    for name, value in options.changed():
        words += [option_of(name)] if value is True else [option_of(name), str(value)]
    return shlex.join([*words, "-o", _plain(output_of(clip))])


def _plain(name: str) -> str:
    """A name that no command mistakes for an option."""
    return f"./{name}" if name.startswith("-") else name
