"""examples/nuke: the command that the panel makes, and what it reads back; in a stand-in for Nuke
(see conftest.py, which says what it is)."""

import ast
import shlex
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from vidstyle.cli.render import render_command

SOURCE = Path(__file__).parents[3] / "examples/nuke/vidstyle_panel.py"


def read_node(nuke: Any, **knobs: Any) -> Any:
    given = {
        "file": "/p/plate.%04d.exr",
        "first": 1003,
        "last": 1010,
        "origfirst": 1001,
        "colorspace": "scene_linear (ACEScg)",
        **knobs,
    }
    return nuke.Node("Read", **given)


def settings(panel: Any, **changes: Any) -> Any:
    given = {
        "style": "/art.jpg",
        "object": "person",
        "keys": "",
        "output": "/out/o.%04d.exr",
        "matte": "/out/m.%04d.exr",
        "strength": 1.0,
        "element": False,
        "more": "",
        "program": "vidstyle",
        **changes,
    }
    return panel.Settings(**given)


@pytest.fixture
def config(nuke: Any, tmp_path: Path) -> Path:
    """The project's, at a path of its own."""
    nuke.script["OCIO_config"].setValue("custom")
    nuke.script["customOCIOConfigPath"].setValue(str(tmp_path / "config.ocio"))
    return tmp_path / "config.ocio"


def test_the_command_says_what_the_script_says(nuke: Any, panel: Any, config: Path) -> None:
    plate = panel.Plate.of(read_node(nuke))
    words = panel.command(plate, settings(panel, keys="/k/painted.1005.png@1005", strength=0.5))
    assert shlex.join(words) == (
        "vidstyle render /p/plate.%04d.exr --style /art.jpg --object person "
        "--key /k/painted.1005.png@4 --in 2 --out 9 --strength 0.5 --colorspace ACEScg "
        "--matte-out /out/m.%04d.exr --progress json --overwrite --output /out/o.%04d.exr"
    )
    own = {"PYTHONHOME": "/nuke", "LD_LIBRARY_PATH": "/nuke", "PATH": "/bin"}
    assert panel.environment(plate, own) == {"PATH": "/bin", "OCIO": str(config)}


def test_paths_may_have_spaces_and_backslashes(
    nuke: Any, panel: Any, config: Path, tmp_path: Path
) -> None:
    assert config
    program = tmp_path / "vid style"
    program.touch()
    plate = panel.Plate.of(read_node(nuke))
    keys = r'"C:\my keys\a.png@1001" C:\keys\b.png@1002'
    words = panel.command(plate, settings(panel, program=str(program), keys=keys))
    assert words[0] == str(program)
    assert {r"C:\my keys\a.png@0", r"C:\keys\b.png@1"} <= {*words}
    python = r"C:\vidstyle\python.exe -m vidstyle"
    words = panel.command(plate, settings(panel, program=python))
    assert words[:3] == [r"C:\vidstyle\python.exe", "-m", "vidstyle"]


@pytest.mark.parametrize(
    ("output", "numbers"), [("/out/o.%04d.exr", (2, 9)), ("/out/o.mov", (1, 8))]
)
def test_the_result_of_a_movie_lies_over_its_plate(
    nuke: Any, panel: Any, config: Path, output: str, numbers: tuple[int, int]
) -> None:
    """Nuke counts a movie's frames from 1, and vidstyle numbers pictures of them from 0."""
    assert config
    node = read_node(nuke, file="/p/plate.mov", first=3, last=10, origfirst=1)
    plate = panel.Plate.of(node)
    chosen = settings(panel, output=output, matte="")
    words = panel.command(plate, chosen)
    assert words[words.index("--in") : words.index("--strength")] == ["--in", "2", "--out", "9"]
    (read,) = panel.read_back(plate, chosen, node)
    assert (read["first"].value(), read["last"].value()) == numbers
    assert (read["origfirst"].value(), read["origlast"].value()) == numbers
    assert (read["frame_mode"].value(), read["frame"].value()) == ("start at", "3")


def test_plates_that_are_not_linear_become_so(nuke: Any, panel: Any, config: Path) -> None:
    assert config
    node = read_node(nuke, file="/p/a.%04d.dpx", colorspace="ARRI LogC3 (EI800)")
    plate = panel.Plate.of(node)
    words = panel.command(plate, settings(panel, element=True, more="--feather 4"))
    assert words[words.index("--colorspace") + 1] == "ARRI LogC3 (EI800):ACEScg"
    assert {"--element", "--feather", "4"} <= {*words}
    assert plate.result_space == "ACEScg"


@pytest.mark.parametrize(
    ("shown", "name"),
    [
        ("default (ACES2065-1)", "ACES2065-1"),
        ("scene_linear (ACES - ACEScg)", "ACES - ACEScg"),
        ("ARRI LogC3 (EI800)", "ARRI LogC3 (EI800)"),
        ("default (Linear Rec.709 (sRGB))", "Linear Rec.709 (sRGB)"),
        ("sRGB", "sRGB"),
    ],
)
def test_a_colour_space_is_named_without_its_role(panel: Any, shown: str, name: str) -> None:
    assert panel.space_name(shown) == name


def test_without_ocio_what_both_know_is_taken(nuke: Any, panel: Any) -> None:
    nuke.script["colorManagement"].setValue("Nuke")
    nuke.script["workingSpaceLUT"].setValue("linear")
    plate = panel.Plate.of(read_node(nuke, colorspace="default (linear)"))
    assert (plate.space, plate.config) == ("Linear Rec.709 (sRGB)", None)
    (read, _) = panel.read_back(plate, settings(panel), read_node(nuke))
    assert read["colorspace"].value() == "linear"
    with pytest.raises(panel.PanelError, match="'AlexaV3LogC' is a colour space of Nuke alone"):
        panel.Plate.of(read_node(nuke, colorspace="AlexaV3LogC"))


def test_a_config_of_nukes_is_found_beside_it(
    nuke: Any, panel: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nuke.script["OCIO_config"].setValue("aces_1.2")
    monkeypatch.setattr(nuke, "EXE_PATH", str(tmp_path / "Nuke16.0"))
    with pytest.raises(panel.PanelError, match=r"'aces_1\.2': not found .* \$OCIO"):
        panel.Plate.of(read_node(nuke))
    there = tmp_path / "plugins/OCIOConfigs/configs/aces_1.2/config.ocio"
    there.parent.mkdir(parents=True)
    there.touch()
    assert panel.Plate.of(read_node(nuke)).config == str(there)
    monkeypatch.setenv("OCIO", "/studio/config.ocio")
    assert panel.Plate.of(read_node(nuke)).config == "/studio/config.ocio"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"style": ""}, "give a style picture, or frames that were painted"),
        ({"keys": "painted.png"}, "FILE@NUMBER"),
        ({"keys": "'painted.png@1001"}, "close the quote"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    changes: dict[str, str], said: str, nuke: Any, panel: Any, config: Path
) -> None:
    assert config
    with pytest.raises(panel.PanelError, match=said):
        panel.command(panel.Plate.of(read_node(nuke)), settings(panel, **changes))


def test_what_is_not_selected_is_said(nuke: Any, panel: Any) -> None:
    assert panel.show() is None
    nuke.selected = nuke.Node("Blur")
    assert panel.show() is None
    assert nuke.messages == [
        "Select the Read node of the plates.",
        "vidstyle: Blur1: select the Read node of the plates",
    ]


@pytest.fixture
def plates(shot: Any, tmp_path: Path) -> Path:
    """Linear EXR with the astronaut's matte as a channel, numbered from 1001."""
    oiio = pytest.importorskip("OpenImageIO")
    pytest.importorskip("PyOpenColorIO")
    for number in range(4):
        spec = oiio.ImageSpec(64, 48, 4, oiio.HALF)
        spec.channelnames = ("R", "G", "B", "mask")
        light = np.random.default_rng(number).random((48, 64, 3), np.float32)
        mask = cv2.resize(shot.matte(number), (64, 48)).astype(np.float32) / 255
        out = oiio.ImageOutput.create(str(tmp_path / f"plate.{1001 + number}.exr"))
        out.open(str(tmp_path / f"plate.{1001 + number}.exr"), spec)
        out.write_image(np.dstack([light, mask]))
        out.close()
    return tmp_path / "plate.%04d.exr"


def test_the_result_is_read_back(
    nuke: Any,
    panel: Any,
    plates: Path,
    style_picture: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By vidstyle's own command, with its built-in config."""
    nuke.script["colorManagement"].setValue("Nuke")
    nuke.script["workingSpaceLUT"].setValue("linear")
    nuke.selected = read_node(
        nuke, file=str(plates), first=1002, last=1003, colorspace="default (linear)"
    )
    made = panel.Panel.settings

    def filled(dialog: Any) -> Any:
        dialog.style.setValue(str(style_picture))
        dialog.object.setValue(f"matte:{plates}#mask")
        dialog.program.setValue(f"{shlex.quote(sys.executable)} -m vidstyle")
        dialog.more.setValue(f"--model {shlex.quote(str(tiny_model))} --device cpu")
        return made(dialog)

    monkeypatch.setattr(panel.Panel, "settings", filled)
    panel.show().join(timeout=120)
    assert nuke.messages == []
    styled, matte = nuke.made
    for read in (styled, matte):
        assert (read["first"].value(), read["origlast"].value()) == (1002, 1003)
        numbers = [n for n in range(1000, 1010) if Path(read["file"].value() % n).is_file()]
        assert numbers == [1002, 1003]
    assert styled["file"].value() == str(tmp_path / "plate_styled/plate_styled.%04d.exr")
    assert styled["colorspace"].value() == "linear"
    assert matte["raw"].value() is True


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (f"{shlex.quote(sys.executable)} -m vidstyle", "none.%04d.exr: matches no file"),
        ("no-such", "cannot be run"),
    ],
)
def test_what_went_wrong_is_shown_in_a_line(
    program: str,
    said: str,
    nuke: Any,
    panel: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    nuke.script["colorManagement"].setValue("Nuke")
    nuke.script["workingSpaceLUT"].setValue("linear")
    nuke.selected = read_node(nuke, file=str(tmp_path / "none.%04d.exr"), colorspace="linear")
    made = panel.Panel.settings

    def filled(dialog: Any) -> Any:
        dialog.style.setValue("/art.jpg")
        dialog.program.setValue(program)
        return made(dialog)

    monkeypatch.setattr(panel.Panel, "settings", filled)
    panel.show().join(timeout=120)
    (message,) = nuke.messages
    assert said in message
    assert "\n" not in message
    assert not nuke.made


def test_a_cancelled_run_reads_nothing_back(
    nuke: Any, panel: Any, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert config
    monkeypatch.setattr(nuke.ProgressTask, "cancelled", True)
    waits = "import time; print('{}', flush=True); time.sleep(60)"
    task = nuke.ProgressTask("vidstyle")
    panel.run([sys.executable, "-c", waits], {}, task)
    assert not nuke.made


def test_its_options_are_renders(nuke: Any, panel: Any, config: Path) -> None:
    assert config
    words = panel.command(
        panel.Plate.of(read_node(nuke)), settings(panel, keys="k.png@1001", element=True)
    )
    used = {word for word in words if word.startswith("--")}
    assert used <= {name for option in render_command.params for name in option.opts}


def test_nukes_older_python_can_read_it() -> None:
    ast.parse(SOURCE.read_text(), feature_version=(3, 9))
