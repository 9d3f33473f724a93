"""From an object prompt to a matte for every frame: find, segment, track.

A matte is a numpy array (H, W) of ``uint8``: 255 inside the object, 0 outside, between them at a
soft edge. Pictures are numpy arrays (H, W, 3), RGB, ``uint8``.
"""

from vidstyle.segment.clip import Clip
from vidstyle.segment.detect import Detection, Detector
from vidstyle.segment.mattes import GivenMattes, Matte, Mattes, MatteStore
from vidstyle.segment.objects import find_mattes
from vidstyle.segment.prompts import ObjectSpec, parse_object
from vidstyle.segment.segmenter import Segmenter, build_segmenter
from vidstyle.segment.yolo import YoloTiny

__all__ = [
    "Clip",
    "Detection",
    "Detector",
    "GivenMattes",
    "Matte",
    "MatteStore",
    "Mattes",
    "ObjectSpec",
    "Segmenter",
    "YoloTiny",
    "build_segmenter",
    "find_mattes",
    "parse_object",
]
