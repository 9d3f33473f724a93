"""Nobody waits for a library that what they asked for does not use."""

import subprocess
import sys
from pathlib import Path

from vidstyle.cli import cli

_CALLS = """
import sys
from vidstyle.cli import cli
for call in sys.argv[1].split("\\n"):
    try:
        cli.main(call.split("\\t"), "vidstyle", standalone_mode=False)
    except Exception as error:
        print(error)
print(*sys.modules, sep="\\n", file=sys.stderr)
"""


def _modules_after(*calls: tuple[object, ...]) -> tuple[set[str], str]:
    """What a fresh process has imported after these calls of vidstyle, and what they printed."""
    lines = "\n".join("\t".join(map(str, call)) for call in calls)
    done = subprocess.run(
        [sys.executable, "-c", _CALLS, lines], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split()), done.stdout


def test_no_library_is_needed_to_tell_options_or_refuse_them() -> None:
    commands = cli.list_commands(None)
    modules, printed = _modules_after(
        ("--version",),
        ("--help",),
        *((command, "--help") for command in commands),
        ("render", "--flow", "none"),
    )
    assert "Usage: vidstyle train" in printed
    assert "'none' is not one of 'auto'" in printed
    assert not modules & {"torch", "numpy", "cv2", "av"}


def test_a_render_with_what_ships_needs_neither_torchvision_nor_extras(
    shot, style_picture, tiny_model, tmp_path: Path
) -> None:
    target = tmp_path / "styled.mkv"
    modules, _ = _modules_after(
        ("-q", "render", shot.clip, "--style", style_picture, "--object", "box:45,20,75,80",
         "--model", tiny_model, "--device", "cpu", "--segmenter", "grabcut", "--flow", "dis",
         "--out", 2, "-o", target),
    )  # fmt: skip
    assert target.is_file()
    assert "torch" in modules
    assert not modules & {
        "torchvision", "segment_anything", "torch._dynamo", "onnx", "onnxruntime", "transformers",
        "scipy", "skimage", "gradio", "h5py", "lpips", "torchmetrics", "OpenImageIO",
    }  # fmt: skip


def test_without_a_command_there_is_help(vidstyle) -> None:
    for call in ((), ("models",), ("study",)):
        done = vidstyle(*call)
        assert done.code == 0
        assert done.out.startswith("Usage: vidstyle")
        assert "\nCommands:\n" in done.out
        assert not done.err


_WITHOUT = """
import sys
for name in sys.argv[2].split():
    sys.modules[name] = None
from importlib import import_module
for name in sys.argv[1].split():
    import_module(f"vidstyle.cli.{name}")
from vidstyle.batch import run
"""


def test_no_command_needs_what_windows_has_not() -> None:
    commands = [name.replace("-", "_") for name in cli.list_commands(None)]
    missing = "fcntl resource termios pwd grp syslog"
    subprocess.run(
        [sys.executable, "-c", _WITHOUT, " ".join(commands), missing], check=True, timeout=600
    )
