"""The 80 object names of the COCO data set (Lin et al. 2014), and everyday words for them."""

import difflib
import re

from vidstyle.errors import ObjectNotFoundError

# In Darknet's order, which is the order of the network's class scores.
NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich", "orange",
    "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant",
    "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone",
    "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors",
    "teddy bear", "hair drier", "toothbrush",
)  # fmt: skip

_SYNONYMS = {
    "person": "people man men woman women human boy girl child children kid baby actor actress "
    "dancer juggler cyclist rider runner skater walker pedestrian player athlete",
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
    "couch": "sofa",
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
_BY_SYNONYM = {word: name for name, words in _SYNONYMS.items() for word in words.split()}


def coco_name(word: str) -> str:
    """The COCO name for an everyday word, singular or plural.

    Raises:
        ObjectNotFoundError: no such name; the message offers the nearest ones.
    """
    word = " ".join(re.split(r"[\s_-]+", word.strip().lower()))
    singulars = [word, word.removesuffix("s"), word.removesuffix("es")]
    if word.endswith(("ves", "ies")):
        singulars += [f"{word[:-3]}f", f"{word[:-3]}fe", f"{word[:-3]}y"]
    for candidate in singulars:
        if candidate in NAMES:
            return candidate
        if candidate in _BY_SYNONYM:
            return _BY_SYNONYM[candidate]
    near = difflib.get_close_matches(word, (*NAMES, *_BY_SYNONYM), n=3, cutoff=0.6)
    advice = f"did you mean {', '.join(near)}?" if near else f"known are {', '.join(NAMES)}"
    raise ObjectNotFoundError(f"--object {word}: the detector knows no such object; {advice}")
