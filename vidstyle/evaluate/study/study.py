"""What is compared in a study, and in which order each rater sees it."""

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Self

from vidstyle.errors import MediaError
from vidstyle.runtime.nesting import parsed

#: Of a study's folder: what is compared (never served), the answers (never served), and what
#: raters see.
DESCRIPTION, ANSWERS, MEDIA = "study.json", "answers.sqlite", "media"


@dataclass(frozen=True)
class Item:
    """One plate and what each method made of it.

    Attributes:
        name: of the file, as in the compared folders.
        results: file names in the folder ``media``, one a method; they give nothing away.
        reference: the same of what all are shown beside; None for nothing.
    """

    name: str
    results: tuple[str, ...]
    reference: str | None = None


@dataclass(frozen=True)
class Trial:
    """Two results side by side.

    Attributes:
        number: in its study.
        left, right: numbers of methods.
    """

    number: int
    item: Item
    left: int
    right: int

    @property
    def files(self) -> tuple[str, str]:
        """Of the left and the right result."""
        return self.item.results[self.left], self.item.results[self.right]


@dataclass(frozen=True)
class Study:
    """Every two methods are compared on every item.

    Attributes:
        question: what raters are asked.
        methods: names, of which raters learn none.
        items: what the methods were tried on.
        trials_each: how many trials a rater gets; None for all.
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
        """The trials of a rater, in order; order and sides are drawn afresh for each session,
        and are the same whenever it is asked for."""
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
        """Into the study's folder."""
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
