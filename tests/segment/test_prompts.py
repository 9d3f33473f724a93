"""The grammar of --object."""

from pathlib import Path

import pytest

from vidstyle.errors import ObjectNotFoundError, UsageError
from vidstyle.media.frame import Box
from vidstyle.segment.detectors.coco import NAMES
from vidstyle.segment.detectors.vocabulary import name_for
from vidstyle.segment.prompts import (
    BoxPrompt,
    EverythingPrompt,
    MaskPrompt,
    MattePrompt,
    NamePrompt,
    PointPrompt,
    parse_object,
)


@pytest.mark.parametrize(
    ("spec", "prompts"),
    [
        ("person", [NamePrompt("person")]),
        ("person#2", [NamePrompt("person", 2)]),
        ("Traffic Light", [NamePrompt("traffic light")]),
        ("box:1,2,30,40", [BoxPrompt(Box(1, 2, 30, 40))]),
        ("box:1,2,30,40@7", [BoxPrompt(Box(1, 2, 30, 40), 7)]),
        ("point:3,4", [PointPrompt(3, 4)]),
        ("point:3,4@9", [PointPrompt(3, 4, 9)]),
        (
            "dog+-point:3,4@9+-box:1,2,30,40",
            [
                NamePrompt("dog"),
                PointPrompt(3, 4, 9, outside=True),
                BoxPrompt(Box(1, 2, 30, 40), outside=True),
            ],
        ),
        ("mask:a/b.png", [MaskPrompt(Path("a/b.png"))]),
        ("mask:a/b.png@12", [MaskPrompt(Path("a/b.png"), 12)]),
        ("mask:C:/b.png@12", [MaskPrompt(Path("C:/b.png"), 12)]),
        ("mask:a/b.png#3@12", [MaskPrompt(Path("a/b.png"), 12, "3")]),
        ("mask:a/b.exr#hero", [MaskPrompt(Path("a/b.exr"), 0, "hero")]),
        ("matte:m/shot.%04d.png#2", [MattePrompt("m/shot.%04d.png#2")]),
        ("matte:m/shot.%04d.png", [MattePrompt("m/shot.%04d.png")]),
        ("all", [EverythingPrompt()]),
        (
            "dog + box:0,0,5,5 + point:1,1@3",
            [NamePrompt("dog"), BoxPrompt(Box(0, 0, 5, 5)), PointPrompt(1, 1, 3)],
        ),
    ],
)
def test_reads_every_form(spec, prompts):
    assert list(parse_object(spec).prompts) == prompts


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "+",
        "person+",
        "person#0",
        "person#x",
        "12",
        "circle:1,2",
        "-point:3,4",
        "-point:3,4@2+-box:1,2,3,4",
        "dog+-mask:a.png",
        "dog+--point:3,4",
        "box:1,2,3",
        "box:a,b,c,d",
        "box:5,5,5,9",
        "box:9,0,3,5",
        "box:1,2,3,4@x",
        "box:1,2,3,4@-1",
        "point:1",
        "point:1,2,3",
        "point:1.5,2",
        "mask:",
        "matte:",
        "matte:m.%04d.png+person",
    ],
)
def test_malformed_text_is_one_clear_line(spec):
    with pytest.raises(UsageError, match="--object") as caught:
        parse_object(spec)
    assert "\n" not in str(caught.value)


def test_a_file_name_may_hold_plus_and_at(tmp_path):
    odd = tmp_path / "a+b@3.png"
    odd.touch()
    assert parse_object(f"mask:{odd}").prompts == (MaskPrompt(odd),)
    assert parse_object(f"mask:{odd}@5+dog").prompts == (MaskPrompt(odd, 5), NamePrompt("dog"))


def test_a_matte_pattern_may_hold_plus(tmp_path):
    (tmp_path / "a+b.0001.png").touch()
    pattern = f"{tmp_path}/a+b.####.png"
    assert parse_object(f"matte:{pattern}").given == MattePrompt(pattern)


@pytest.mark.parametrize(
    "spec", ["box:-1,0,5,5", "box:0,0,101,50", "box:0,0,100,51", "point:100,0", "point:0,-1"]
)
def test_a_place_outside_the_frame_is_a_usage_error(spec):
    parsed = parse_object(spec)
    with pytest.raises(UsageError, match="100x50"):
        parsed.check_inside((50, 100))


def test_a_place_at_the_very_edge_is_inside():
    parse_object("box:0,0,100,50+point:99,49").check_inside((50, 100))


def test_a_frame_that_the_clip_has_not_is_a_usage_error():
    with pytest.raises(UsageError, match="0 to 9"):
        parse_object("point:1,1@10").check_frames(0, 10)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("people", "person"),
        ("Men", "person"),
        ("dancers", "person"),
        ("bike", "bicycle"),
        ("swan", "bird"),
        ("ponies", "horse"),
        ("buses", "bus"),
        ("knives", "knife"),
        ("traffic_lights", "traffic light"),
        ("skis", "skis"),
    ],
)
def test_everyday_words_find_their_name(word, name):
    assert name_for(word, NAMES) == name


def test_every_name_is_its_own():
    assert [name_for(name, NAMES) for name in NAMES] == list(NAMES)


def test_an_unknown_name_offers_the_nearest():
    with pytest.raises(ObjectNotFoundError, match="person"):
        name_for("persun", NAMES)


def test_the_whole_frame_needs_no_name() -> None:
    with pytest.raises(ObjectNotFoundError, match="whole: not an object; without --object"):
        name_for("Whole", NAMES)
