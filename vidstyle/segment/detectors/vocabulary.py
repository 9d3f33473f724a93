"""Everyday synonyms of the names that detectors know."""

import difflib
import re
from collections.abc import Sequence

from vidstyle.errors import ObjectNotFoundError

_SYNONYMS = {
    "person": "people man men woman women human boy girl child children kid baby actor actress "
    "dancer juggler cyclist rider runner skater walker pedestrian player athlete "
    "guy lady gentleman kids toddler dude",
    "bicycle": "bike cycle bmx",
    "car": "automobile taxi suv",
    "motorcycle": "motorbike scooter moped",
    "airplane": "aeroplane plane jet aircraft",
    "truck": "lorry van",
    "boat": "ship yacht",
    "bird": "swan duck goose geese parrot cockatoo chicken hen pigeon gull eagle owl",
    "cat": "kitten",
    "dog": "puppy hound",
    "horse": "pony foal",
    "sheep": "lamb goat",
    "cow": "bull ox calf cattle",
    "skis": "ski",
    "sports ball": "ball football",
    "couch": "sofa settee",
    "potted plant": "plant houseplant",
    "dining table": "table",
    "tv": "television monitor screen",
    "cell phone": "phone smartphone mobile",
    "refrigerator": "fridge",
    "donut": "doughnut",
    "cup": "mug",
    "handbag": "bag purse",
    "backpack": "rucksack",
    "suitcase": "luggage",
    "teddy bear": "teddy",
}
_WHOLE = {"all", "everything", "image", "picture", "whole", "whole frame", "whole image"}
_BY_SYNONYM = {word: name for name, words in _SYNONYMS.items() for word in words.split()}


_IRREGULAR = {"men": "man", "women": "woman", "children": "child", "people": "person",
              "geese": "goose", "oxen": "ox", "mice": "mouse", "calves": "calf"}  # fmt: skip


def name_for(word: str, names: Sequence[str]) -> str:
    """The one of ``names`` that an everyday word, singular or plural, refers to.

    Raises:
        ObjectNotFoundError: there is none; the message suggests the nearest ones.
    """
    word = " ".join(re.split(r"[\s_-]+", word.strip().lower()))
    for candidate in (word, *_singulars(word)):
        if candidate in names:
            return candidate
        if _BY_SYNONYM.get(candidate) in names:
            return _BY_SYNONYM[candidate]
    known = [*names, *(w for w, name in _BY_SYNONYM.items() if name in names)]
    if word in _WHOLE:
        raise ObjectNotFoundError(f"{word}: not an object; without --object, all of it is painted")
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    advice = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(names)}"
    raise ObjectNotFoundError(f"{word}: the detector knows no such object; {advice}")


def _singulars(word: str) -> list[str]:
    """Possible singulars of a word; only its last part is inflected."""
    head, space, last = word.rpartition(" ")
    found = [_IRREGULAR[last]] if last in _IRREGULAR else []
    if last.endswith(("ves", "ies")):
        found += [f"{last[:-3]}f", f"{last[:-3]}fe", f"{last[:-3]}y"]
    if last.endswith("s"):
        found += [last[:-1], last.removesuffix("es")]
    return [f"{head}{space}{singular}" for singular in found]
