"""Log lines: short ones for people, JSON for machines."""

import json
import logging
from datetime import UTC, datetime
from typing import TextIO

from tqdm import tqdm

from vidstyle.runtime.log_context import here
from vidstyle.runtime.system import peak_memory


def start_logging(level: int, as_json: bool) -> None:
    """Log vidstyle's records of this level, and others' warnings, to standard error."""
    handler = AboveBars()
    handler.setFormatter(Plain())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("vidstyle").setLevel(level)
    if as_json:
        for each in logging.getLogger().handlers:
            each.setFormatter(JsonLines())
        # A line for each batch and stage.
        logging.getLogger("vidstyle.runtime.timing").setLevel(logging.DEBUG)


def is_json() -> bool:
    """Whether log lines are JSON."""
    return any(isinstance(each.formatter, JsonLines) for each in logging.getLogger().handlers)


class AboveBars(logging.StreamHandler[TextIO]):
    """To standard error, above the bar of the progress where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        with tqdm.external_write_mode(file=self.stream):
            super().emit(record)


class Plain(logging.Formatter):
    """For people: the message, and what kind it is where that is not mere news."""

    def format(self, record: logging.LogRecord) -> str:
        kind = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        return f"{kind}{super().format(record)}"


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
            "memory": round(peak_memory(), 1),
        }
        return json.dumps(content)
