"""Which exported files this user made, by their sha256.

Some formats are code, or are read by what runs code that they carry: such a file is loaded only if
it was exported here, by this user, whoever names it.
"""

from pathlib import Path

import platformdirs

from vidstyle.models import weights
from vidstyle.runtime.atomic import unwritable


def record(path: Path) -> None:
    """Remember a file that was just made.

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
    """Whether a file has the content of one that was recorded.

    Raises:
        WeightsError: it cannot be read.
    """
    return (_folder() / weights.sha256(path)).is_file()


def _folder() -> Path:
    return platformdirs.user_data_path("vidstyle") / "exported"
