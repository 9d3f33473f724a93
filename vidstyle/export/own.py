"""Record of the files exported by this user, by their sha256.

Some formats are code, or can execute code when loaded: such a file is loaded only if it was
exported on this machine by this user.
"""

from pathlib import Path

import platformdirs

from vidstyle.models import weights
from vidstyle.runtime.atomic import unwritable


def record(path: Path) -> None:
    """Record a newly exported file.

    Raises:
        MediaError: the user's data folder cannot be written.
    """
    mark = _folder() / weights.sha256(path)
    try:
        mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        raise unwritable(mark, error) from None


def is_own(path: Path) -> bool:
    """Whether a file's content equals that of a recorded one.

    Raises:
        WeightsError: the file cannot be read.
    """
    return (_folder() / weights.sha256(path)).is_file()


def _folder() -> Path:
    return platformdirs.user_data_path("vidstyle") / "exported"
