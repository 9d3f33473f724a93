"""A panel for Nuke: restyles a Read node's plates with the command ``vidstyle``, and reads the
result back.

In ``menu.py``::

    import vidstyle_panel
    vidstyle_panel.add_menu()

vidstyle has a Python of its own, since Nuke's brings other libraries; only its command is called.
Runs in Nuke's Python from 3.9 on.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nuke
import nukescripts

#: Names of Nuke's own colour management that OCIO's built-in ACES config has too.
_WITHOUT_OCIO = {"linear": "Linear Rec.709 (sRGB)", "sRGB": "sRGB - Texture"}
#: Of a frame, in the name of a sequence.
_NUMBER = re.compile(r"%0?\d*d|#+")
#: Of Nuke's Python, which would lead vidstyle's astray.
_NUKES_OWN = ("PYTHONHOME", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "QT_PLUGIN_PATH")


class PanelError(Exception):
    """One line for the user: what is wrong and what to do."""


@dataclass(frozen=True)
class Plate:
    """What a Read node reads.

    Attributes:
        file: a pattern such as ``plate.%04d.exr``, or a movie.
        first, last: frame numbers that are used.
        origin: number of the first frame that there is.
        space: name of its colour space in the config.
        working: of the script's working space.
        config: of OCIO, for ``$OCIO``; None for vidstyle's built-in ACES config.
    """

    file: str
    first: int
    last: int
    origin: int
    space: str
    working: str
    config: str | None

    @classmethod
    def of(cls, node: nuke.Node) -> Plate:
        """
        Raises:
            PanelError: it is no Read node, or its colour space has no name in OCIO.
        """
        if node.Class() != "Read":
            raise PanelError(f"{node.name()}: select the Read node of the plates")
        root = nuke.root()
        managed = root["colorManagement"].value() == "OCIO"
        knobs = node["colorspace"], root["workingSpaceLUT"]
        names = [space_name(knob.value()) for knob in knobs]
        if not managed:
            unknown = [name for name in names if name not in _WITHOUT_OCIO]
            if unknown:
                raise PanelError(
                    f"{node.name()}: '{unknown[0]}' is a colour space of Nuke alone; set the "
                    "project's color management to OCIO"
                )
            names = [_WITHOUT_OCIO[name] for name in names]
        return cls(
            file=nuke.filename(node),
            first=int(node["first"].value()),
            last=int(node["last"].value()),
            origin=int(node["origfirst"].value()),
            space=names[0],
            working=names[1],
            config=_config(root) if managed else None,
        )

    @property
    def is_exr(self) -> bool:
        return self.file.lower().endswith(".exr")

    @property
    def result_space(self) -> str:
        """Of the result: plates in EXR stay in theirs, others become scene-linear."""
        return self.space if self.is_exr else self.working


@dataclass(frozen=True)
class Settings:
    """What the panel asks for.

    Attributes:
        style: a picture; empty for none.
        object: an ``--object`` SPEC; empty for the whole frame.
        keys: painted frames, ``FILE@NUMBER``, with the numbers that Nuke counts by.
        output: pattern of the result, ``styled.%04d.exr``.
        matte: pattern of its matte; empty for none.
        element: the restyled object alone, premultiplied, with its matte in alpha.
        more: options of ``vidstyle render``.
        program: the command, which may have arguments.
    """

    style: str
    object: str
    keys: str
    output: str
    matte: str
    strength: float
    element: bool
    more: str
    program: str


def space_name(value: str) -> str:
    """The colour space that a knob shows, which may name a role first: ``default (ACEScg)``."""
    role = re.fullmatch(r"(?:default|[a-z0-9_]+) \((.+)\)", value)
    return role[1] if role else value


def _config(root: nuke.Node) -> str:
    """
    Raises:
        PanelError: it cannot be told which file it is.
    """
    if os.environ.get("OCIO"):
        return os.environ["OCIO"]
    chosen = root["OCIO_config"].value()
    if chosen == "custom":
        return str(root["customOCIOConfigPath"].value())
    folder = Path(nuke.EXE_PATH).parent / "plugins" / "OCIOConfigs" / "configs"
    for path in (folder / chosen / "config.ocio", folder / f"{chosen}.ocio"):
        if path.is_file():
            return str(path)
    raise PanelError(f"OCIO config '{chosen}': not found below {folder}; name its file by $OCIO")


def command(plate: Plate, settings: Settings) -> list[str]:
    """What is run.

    Raises:
        PanelError: neither style nor keys, a key's frame is not a number, or a quote is not closed.
    """
    keys = _words(settings.keys)
    if not settings.style and not keys:
        raise PanelError("give a style picture, or frames that were painted")
    spaces = plate.space
    if not plate.is_exr and plate.working != plate.space:
        spaces += f":{plate.working}"
    words = [*_program(settings.program), "render", plate.file]
    words += ["--style", settings.style] if settings.style else []
    words += ["--object", settings.object] if settings.object else []
    for key in keys:
        path, _, number = key.rpartition("@")
        if not path or not number.isdigit():
            raise PanelError(
                f"{key}: give FILE@NUMBER of the frame that was painted; quote a path with spaces"
            )
        words += ["--key", f"{path}@{int(number) - plate.origin}"]
    words += ["--in", str(plate.first - plate.origin), "--out", str(plate.last - plate.origin)]
    words += ["--strength", f"{settings.strength:g}", "--colorspace", spaces]
    words += ["--element"] if settings.element else []
    words += ["--matte-out", settings.matte] if settings.matte else []
    words += [*_words(settings.more), "--progress", "json", "--overwrite"]
    return [*words, "--output", settings.output]


def _program(text: str) -> list[str]:
    """A command, which may have arguments, or a path with spaces."""
    return [text] if Path(text).is_file() or shutil.which(text) else _words(text)


def _words(text: str) -> list[str]:
    """Split at spaces outside quotes; backslashes stay, since paths on Windows have them.

    Raises:
        PanelError: a quote is not closed.
    """
    reader = shlex.shlex(text, posix=True)
    reader.whitespace_split, reader.commenters, reader.escape = True, "", ""
    try:
        return list(reader)
    except ValueError:
        raise PanelError(f"{text}: close the quote") from None


def environment(plate: Plate, own: Mapping[str, str]) -> dict[str, str]:
    """Of the command: Nuke's, without what belongs to its Python, and with its OCIO config."""
    kept = {name: value for name, value in own.items() if name not in _NUKES_OWN and name != "OCIO"}
    if plate.config is not None:
        kept["OCIO"] = plate.config
    return kept


def run(words: list[str], variables: Mapping[str, str], task: nuke.ProgressTask) -> None:
    """Run a command to its end, or until the user cancels; ``task`` shows how far it is.

    Raises:
        PanelError: it failed; its own line says why.
    """
    try:
        process = subprocess.Popen(
            words,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise PanelError(f"{words[0]}: cannot be run ({error}); name vidstyle's command") from None
    failed = ""
    with process:
        for line in process.stdout or ():
            told = _told(line)
            if "stage" in told:
                task.setMessage(f"{told['stage']} {told['done']}/{told['total']}")
                task.setProgress(int(100 * told["done"] / (told["total"] or 1)))
            else:
                nuke.tprint(line.rstrip())
            if line.startswith("vidstyle: "):
                failed = line.strip().removeprefix("vidstyle: ")
            if task.isCancelled():
                process.terminate()
    if task.isCancelled():
        return
    if process.returncode:
        raise PanelError(failed or f"{words[0]}: ended with code {process.returncode}")


def _told(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def read_back(plate: Plate, settings: Settings, node: nuke.Node) -> list[nuke.Node]:
    """Read nodes of the result and its matte, beside the plate's."""
    files = [(settings.output, "restyled")] + [(settings.matte, "matte")] * bool(settings.matte)
    made = []
    for place, (file, label) in enumerate(files, 1):
        read = nuke.nodes.Read(file=file.replace("\\", "/"), label=label)
        number = _first_number(plate, file)
        last = number + plate.last - plate.first
        for knob, value in (("first", number), ("last", last)):
            read[knob].setValue(value)
            read[f"orig{knob}"].setValue(value)
        if number != plate.first:
            read["frame_mode"].setValue("start at")
            read["frame"].setValue(str(plate.first))
        if label == "matte":
            read["raw"].setValue(True)
        else:
            read["colorspace"].setValue(_nukes(plate.result_space, plate.config))
            read["premultiplied"].setValue(settings.element)
        read.setXYpos(int(node.xpos()) + 110 * place, int(node.ypos()))
        made.append(read)
    return made


def _first_number(plate: Plate, file: str) -> int:
    """Of a result's first frame, as Nuke counts in its file."""
    if not _NUMBER.search(file):
        return 1  # a movie of the range alone
    # vidstyle keeps the numbers of a sequence, and counts the frames of a movie from 0.
    return plate.first if _NUMBER.search(plate.file) else plate.first - plate.origin


def _nukes(space: str, config: str | None) -> str:
    """A colour space as Nuke's knobs name it."""
    if config is not None:
        return space
    return next(name for name, theirs in _WITHOUT_OCIO.items() if theirs == space)


class Panel(nukescripts.PythonPanel):
    """The dialog."""

    def __init__(self, plate: Plate) -> None:
        nukescripts.PythonPanel.__init__(self, "vidstyle")
        path = Path(plate.file)
        stem = re.split(rf"[._-]?(?:{_NUMBER.pattern})", path.name)[0].removesuffix(path.suffix)
        folder = path.parent.as_posix()
        self.style = nuke.File_Knob("style", "style picture")
        self.object = nuke.String_Knob("object", "object", "person")
        self.keys = nuke.String_Knob("keys", "painted frames")
        self.output = nuke.File_Knob("output", "output")
        self.output.setValue(f"{folder}/{stem}_styled/{stem}_styled.%04d.exr")
        self.matte = nuke.File_Knob("matte", "matte")
        self.matte.setValue(f"{folder}/{stem}_styled/{stem}_matte.%04d.exr")
        self.strength = nuke.Double_Knob("strength", "strength")
        self.strength.setRange(0, 1)
        self.strength.setValue(1)
        self.element = nuke.Boolean_Knob("element", "object alone, premultiplied")
        self.more = nuke.String_Knob("more", "more options")
        self.program = nuke.String_Knob(
            "program", "command", os.environ.get("VIDSTYLE_COMMAND", "vidstyle")
        )
        for knob in self._knobs():
            self.addKnob(knob)

    def _knobs(self) -> Iterator[nuke.Knob]:
        return (getattr(self, name) for name in Settings.__dataclass_fields__)

    def settings(self) -> Settings:
        values: dict[str, Any] = {}
        for knob in self._knobs():
            value = knob.value()
            values[knob.name()] = value.strip() if isinstance(value, str) else value
        return Settings(**values)


def show() -> threading.Thread | None:
    """Ask, run in the background, and read back; the thread that does it."""
    try:
        node = nuke.selectedNode()
    except ValueError:
        nuke.message("Select the Read node of the plates.")
        return None
    try:
        plate = Plate.of(node)
        panel = Panel(plate)
        if not panel.showModalDialog():
            return None
        settings = panel.settings()
        words = command(plate, settings)
        for file in filter(None, (settings.output, settings.matte)):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
    except (PanelError, OSError) as error:
        nuke.message(f"vidstyle: {error}")
        return None

    def work() -> None:
        task = nuke.ProgressTask("vidstyle")
        try:
            run(words, environment(plate, os.environ), task)
        except PanelError as error:
            nuke.executeInMainThread(nuke.message, (f"vidstyle: {error}",))
            return
        if not task.isCancelled():
            nuke.executeInMainThread(read_back, (plate, settings, node))

    thread = threading.Thread(target=work, name="vidstyle")
    thread.start()
    return thread


def add_menu() -> None:
    """An entry of Nuke's menu."""
    nuke.menu("Nuke").addCommand("vidstyle/Restyle the selected plates…", show)
