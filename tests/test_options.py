"""What an option may be is the same from Python, a list of shots, a manifest and the command
line."""

import math

import click
import pytest
from click.testing import CliRunner
from pydantic import TypeAdapter, ValidationError

from vidstyle.batch.shot import OPTIONS, shot_of
from vidstyle.cli.options import option
from vidstyle.cli.render import render_command
from vidstyle.constraints import OneOf, Within, constraint_of, option_of
from vidstyle.errors import UsageError
from vidstyle.options import DEFAULTS, QualityOptions, RenderOptions, pair

#: A value that is not valid, and what is said of it.
WRONG = [
    ("strength", 1.5, "must lie between 0 and 1"),
    ("strength", math.nan, "must lie between 0 and 1"),
    ("feather", math.nan, "must lie between 0 and 512"),
    ("feather", -3.0, "must lie between 0 and 512"),
    ("preserve", "colour", "is none of none, color, structure"),
    ("flow", "some", "is none of auto, raft-large, raft-small, dis"),
    ("max_memory", 0, "must be a whole number of at least 64"),
    ("batch", 0, "must be a whole number between 1 and 256"),
    ("segment", -5, "must be a whole number of at least 0"),
    ("first", -1, "must be a whole number of at least 0"),
    ("flow_size", 3, "must be a whole number of at least 64"),
]

BOUNDED = {
    name: constraint
    for name in RenderOptions.__dataclass_fields__
    if (constraint := constraint_of(RenderOptions, name))
}


@pytest.mark.parametrize(("name", "value", "told"), WRONG)
def test_python_is_refused(name: str, value: object, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        RenderOptions(**{name: value})


def test_qualitys_options_too() -> None:
    with pytest.raises(UsageError, match=r"^--qc-step 0: must be a whole number of at least 1"):
        QualityOptions(step=0)


@pytest.mark.parametrize(("name", "value", "told"), [row for row in WRONG if row[0] in OPTIONS])
def test_a_list_is_refused(name: str, value: object, told: str) -> None:
    with pytest.raises(UsageError, match=f"^row 2: {name} '{value}': {told}"):
        shot_of({"source": "a.mov", name: str(value)}, "row 2", str)


@pytest.mark.parametrize(("name", "value", "told"), WRONG)
def test_a_manifest_is_refused(name: str, value: object, told: str) -> None:  # noqa: ARG001
    with pytest.raises(ValidationError):
        TypeAdapter(RenderOptions).validate_python({name: value})


def test_the_command_line_has_the_same_bounds_and_choices() -> None:
    options = {option.name: option for option in render_command.params}
    for name, constraint in BOUNDED.items():
        if name in ("first", "last"):  # timecodes too
            continue
        kind = options[name].type
        match constraint:
            case OneOf(names):
                assert isinstance(kind, click.Choice)
                assert tuple(kind.choices) == names
            case Within(least, most):
                assert (kind.min, kind.max) == (least, most)
        assert options[name].default == getattr(DEFAULTS, name)


def test_the_environment_gives_a_value_a_line() -> None:
    @click.command()
    @option("--style", "styles", multiple=True)
    def command(styles: tuple[str, ...]) -> None:
        click.echo(styles)

    told = CliRunner().invoke(command, env={"VIDSTYLE_STYLE": "/x/my art.jpg\nb.jpg"})
    assert told.output == "('/x/my art.jpg', 'b.jpg')\n"


def test_every_default_may_be_said() -> None:
    TypeAdapter(RenderOptions).validate_python(vars(DEFAULTS))


def test_a_list_takes_what_a_shot_has_of_its_own() -> None:
    told = {"source": "a.mov", "Strength": "0.5", "exclude": "a|b", "invert": "yes", "seed": "3"}
    shot = shot_of(told, "row 2", str)
    assert shot.options == {"strength": 0.5, "exclude": ("a", "b"), "invert": True, "seed": 3}


def test_each_option_is_of_one_group() -> None:
    names = [name for group in RenderOptions.__bases__ for name in vars(group())]
    assert sorted(names) == sorted(vars(DEFAULTS))
    assert len(set(names)) == len(names)


def test_the_command_line_calls_each_option_by_its_name() -> None:
    options = {option.name: option.opts for option in render_command.params}
    for name in vars(DEFAULTS):
        assert option_of(name) in options[name]


def test_what_was_changed_is_known() -> None:
    changed = RenderOptions(first=0, exclude=("dog",), invert=True, strength=1.0)
    assert dict(changed.changed()) == {"first": 0, "exclude": ("dog",), "invert": True}
    assert not dict(DEFAULTS.changed())


def test_the_whole_frame_may_lie_below_an_object() -> None:
    layers = pair(["frame", "person"], ["a.png", "b.png"])
    assert [(layer.object, layer.spec) for layer in layers] == [
        (None, "frame"),
        ("person", "person"),
    ]
