"""The items that a study compares, and the order in which each rater sees them."""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Self

from vidstyle.errors import MediaError
from vidstyle.runtime.nesting import parsed

#: Contents of a study's folder: its description and the answers (never served), and the files that
#: raters see.
DESCRIPTION, ANSWERS, MEDIA = "study.json", "answers.sqlite", "media"


@dataclass(frozen=True)
class Item:
    """One plate and each method's result.

    Attributes:
        name: of the file in the compared folders.
        results: random file names in the folder ``media``, one per method.
        reference: file name of the reference shown alongside; None for none.
    """

    name: str
    results: tuple[str, ...]
    reference: str | None = None


@dataclass(frozen=True)
class Trial:
    """Two results side by side.

    Attributes:
        number: in its study.
        left, right: indices of methods.
    """

    number: int
    item: Item
    left: int
    right: int

    @property
    def files(self) -> tuple[str, str]:
        """File names of the left and right result."""
        return self.item.results[self.left], self.item.results[self.right]


@dataclass(frozen=True)
class Study:
    """A comparison of every pair of methods on every item.

    Attributes:
        question: shown to raters.
        methods: names, hidden from raters.
        items: that the methods were applied to.
        trials_each: number of trials per rater; None for all.
    """

    question: str
    methods: tuple[str, ...]
    items: tuple[Item, ...]
    trials_each: int | None = None

    def media(self) -> Iterator[str]:
        """Every file that raters may see."""
        for item in self.items:
            yield from item.results
            if item.reference is not None:
                yield item.reference

    def trials_of(self, session: str) -> list[Trial]:
        """The trials of a rater, in order; order and sides are random, but fixed for a session."""
        draw = random.Random(session)
        pairs = [
            (item, pair)
            for item in self.items
            for pair in combinations(range(len(self.methods)), 2)
        ]
        trials = []
        for number, (item, pair) in enumerate(pairs):
            left, right = pair if draw.random() < 0.5 else pair[::-1]
            trials.append(Trial(number, item, left, right))
        draw.shuffle(trials)
        return trials[: self.trials_each]

    def write(self, folder: Path) -> None:
        """Write the description into the study's folder."""
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """
        Raises:
            MediaError: the folder holds no study.
        """
        path = folder / DESCRIPTION
        try:
            told = parsed(json.loads, path.read_text(encoding="utf-8"))
            items = tuple(
                Item(each["name"], tuple(each["results"]), each["reference"])
                for each in told["items"]
            )
            return cls(told["question"], tuple(told["methods"]), items, told["trials_each"])
        except (OSError, ValueError, KeyError, TypeError):
            raise MediaError(
                f"{folder}: not a study; name a folder made by 'vidstyle study make'"
            ) from None
