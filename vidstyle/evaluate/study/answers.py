"""Raters' answers in SQLite, with nothing that identifies a rater or the time of an answer."""

import sqlite3
from collections.abc import Iterator, Set
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from vidstyle.errors import MediaError

Choice = Literal["left", "right", "neither"]
CHOICES: tuple[Choice, ...] = get_args(Choice)

#: Largest number of sessions in a study; more could fill the disk.
MOST_SESSIONS = 10_000

_TABLE = """CREATE TABLE IF NOT EXISTS answers (
    session TEXT NOT NULL,  -- drawn by the page, for one visit
    trial INTEGER NOT NULL,
    item TEXT NOT NULL,
    "left" TEXT NOT NULL,  -- the methods
    "right" TEXT NOT NULL,
    choice TEXT NOT NULL CHECK (choice IN ('left', 'right', 'neither')),
    milliseconds INTEGER NOT NULL,
    PRIMARY KEY (session, trial))"""


@dataclass(frozen=True)
class Answer:
    """A rater's answer to one trial.

    Attributes:
        session: of the rater.
        trial: its number.
        left, right: names of the methods shown on each side.
        milliseconds: that the rater took.
    """

    session: str
    trial: int
    item: str
    left: str
    right: str
    choice: Choice
    milliseconds: int = 0


class FullError(Exception):
    """No further raters are accepted."""


class Answers:
    """A file of answers; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        """Creates the file if missing.

        Raises:
            MediaError: the file cannot be opened, or is not a database of answers.
        """
        self._path = path
        try:
            with self._opened() as database:
                database.execute(_TABLE)
                database.execute("SELECT * FROM answers LIMIT 1")
        except sqlite3.Error as error:
            raise MediaError(f"{path}: cannot be used ({error}); restore it") from None

    def add(self, answer: Answer) -> None:
        """Store an answer; a second one to the same trial replaces the first.

        Raises:
            FullError: for a new session, if there are already ``MOST_SESSIONS``.
        """
        with self._opened() as database:
            known = database.execute(
                "SELECT COUNT(DISTINCT session), COUNT(CASE session WHEN ? THEN 1 END) "
                "FROM answers",
                (answer.session,),
            ).fetchone()
            if known[0] >= MOST_SESSIONS and not known[1]:
                raise FullError
            database.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    answer.session,
                    answer.trial,
                    answer.item,
                    answer.left,
                    answer.right,
                    answer.choice,
                    answer.milliseconds,
                ),
            )

    def all(self) -> list[Answer]:
        """Every answer, in the order of sessions and trials."""
        with self._opened() as database:
            rows = database.execute("SELECT * FROM answers ORDER BY session, trial")
            return [Answer(*row) for row in rows]

    def answered(self, session: str) -> Set[int]:
        """The trials that a session has answered."""
        with self._opened() as database:
            rows = database.execute("SELECT trial FROM answers WHERE session = ?", (session,))
            return {trial for (trial,) in rows}

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """One transaction."""
        with closing(sqlite3.connect(self._path, timeout=10)) as database, database:
            yield database
