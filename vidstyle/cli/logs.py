"""Log lines: short ones for people, JSON for machines."""

import json
import logging
import resource
import sys
from datetime import UTC, datetime

from vidstyle.whereabouts import here


def start_logging(level: int, as_json: bool) -> None:
    """Log vidstyle's records of this level, and others' warnings, to standard error."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname).1s %(message)s")
    logging.getLogger("vidstyle").setLevel(level)
    if as_json:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
        # A line for each batch and stage.
        logging.getLogger("vidstyle.timing").setLevel(logging.DEBUG)


def is_json() -> bool:
    """Whether log lines are JSON."""
    return any(isinstance(each.formatter, JsonLines) for each in logging.getLogger().handlers)


class JsonLines(logging.Formatter):
    """A JSON object a line: ``time`` (UTC), ``level``, ``message``, ``memory`` (peak of resident
    memory in MiB), and where they are known ``shot``, ``segment``, ``frame``, ``stage``, and
    ``seconds`` that the stage took."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = getattr(record, "seconds", None)
        content = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **here(),
            **({} if seconds is None else {"seconds": round(seconds, 4)}),
            "memory": round(_peak_memory(), 1),
        }
        return json.dumps(content)


def _peak_memory() -> float:
    # macOS counts bytes, Linux KiB.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
