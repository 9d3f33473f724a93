"""The shots that a folder, a CSV or YAML list, an EDL or an OTIO timeline names."""

from fractions import Fraction
from pathlib import Path

from vidstyle.batch.folder import shots_in_folder
from vidstyle.batch.shot import Shot
from vidstyle.batch.table import shots_in_csv, shots_in_yaml
from vidstyle.errors import MediaError, UsageError
from vidstyle.runtime.extras import needs_extra


def read_shots(path: Path, media: Path | None = None, rate: Fraction | None = None) -> list[Shot]:
    """The shots, in the list's order; at least one.

    Args:
        path: a folder of clips and sequences, ``.csv``, ``.yaml``, ``.yml``, ``.edl``, ``.otio``.
        media: folder of the clips that a timeline names; None for the list's own folder.
        rate: frame rate of an EDL's timecodes; None for that of its clips.

    Raises:
        MediaError: the list is missing, damaged, or names no shot.
        UsageError: an entry is invalid.
    """
    if path.is_dir():
        shots = shots_in_folder(path)
    elif not path.is_file():
        raise MediaError(f"{path}: no such folder or list; check the name")
    elif path.suffix.lower() == ".csv":
        shots = shots_in_csv(path)
    elif path.suffix.lower() in (".yaml", ".yml"):
        with needs_extra("post", "a YAML list"):
            shots = shots_in_yaml(path)
    elif path.suffix.lower() in (".edl", ".otio"):
        with needs_extra("post", "a timeline"):
            from vidstyle.batch.timeline import shots_in_timeline

            shots = shots_in_timeline(path, media or path.parent, rate)
    else:
        raise UsageError(f"{path}: not a list of shots; give a folder, .csv, .yaml, .edl or .otio")
    if not shots:
        raise MediaError(f"{path}: lists no shots")
    return shots
