"""A stand-in for Nuke's Python module, with as much of it as the panel calls. It is not Nuke: knobs
hold what they are given, and there is no graph, no window and no main thread."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

FOLDER = Path(__file__).parents[3] / "examples/nuke"


class Knob:
    def __init__(self, name: str = "", label: str = "", value: Any = "") -> None:
        self._name, self.label, self._value = name, label, value

    def name(self) -> str:
        return self._name

    def value(self) -> Any:
        return self._value

    def setValue(self, value: Any) -> None:  # noqa: N802 - Nuke's names
        self._value = value

    def setRange(self, low: float, high: float) -> None:  # noqa: N802
        assert low < high


class Node:
    def __init__(self, kind: str, **knobs: Any) -> None:
        self._kind, self.place = kind, (100, 200)
        self._knobs = {name: Knob(name, value=value) for name, value in knobs.items()}

    def Class(self) -> str:  # noqa: N802
        return self._kind

    def name(self) -> str:
        return f"{self._kind}1"

    def __getitem__(self, name: str) -> Knob:
        return self._knobs.setdefault(name, Knob(name))

    def xpos(self) -> int:
        return self.place[0]

    def ypos(self) -> int:
        return self.place[1]

    def setXYpos(self, x: int, y: int) -> None:  # noqa: N802
        self.place = x, y


class ProgressTask:
    """
    Attributes:
        cancelled: by the user.
    """

    cancelled: ClassVar = False

    def __init__(self, title: str) -> None:
        self.title, self.told, self.percents = title, [], []

    def setMessage(self, message: str) -> None:  # noqa: N802
        self.told.append(message)

    def setProgress(self, percent: int) -> None:  # noqa: N802
        self.percents.append(percent)

    def isCancelled(self) -> bool:  # noqa: N802
        return self.cancelled


class PythonPanel:
    def __init__(self, title: str) -> None:
        self.title, self.knobs = title, []

    def addKnob(self, knob: Knob) -> None:  # noqa: N802
        self.knobs.append(knob)

    def showModalDialog(self) -> bool:  # noqa: N802
        return True


class Nuke(ModuleType):
    """
    Attributes:
        script: the root node.
        selected: None for nothing.
        messages: that the user was shown.
        made: nodes that were made.
    """

    File_Knob = String_Knob = Double_Knob = Boolean_Knob = Knob
    ProgressTask = ProgressTask
    Node = Node
    EXE_PATH = "/usr/local/Nuke16.0v1/Nuke16.0"

    def __init__(self) -> None:
        super().__init__("nuke")
        self.script = Node("Root", colorManagement="OCIO", workingSpaceLUT="scene_linear (ACEScg)")
        self.selected: Node | None = None
        self.messages: list[str] = []
        self.printed: list[str] = []
        self.made: list[Node] = []
        self.nodes = self
        self.executeInMainThread = lambda call, arguments: call(*arguments)
        self.tprint = self.printed.append
        self.message = self.messages.append

    def root(self) -> Node:
        return self.script

    def selectedNode(self) -> Node:  # noqa: N802
        if self.selected is None:
            raise ValueError("no node selected")
        return self.selected

    def filename(self, node: Node) -> str:
        return str(node["file"].value())

    def Read(self, **knobs: Any) -> Node:  # noqa: N802
        self.made.append(Node("Read", **knobs))
        return self.made[-1]


@pytest.fixture
def nuke(monkeypatch: pytest.MonkeyPatch) -> Nuke:
    monkeypatch.delenv("OCIO", raising=False)
    stub, scripts = Nuke(), ModuleType("nukescripts")
    scripts.__dict__["PythonPanel"] = PythonPanel
    monkeypatch.setitem(sys.modules, "nuke", stub)
    monkeypatch.setitem(sys.modules, "nukescripts", scripts)
    return stub


@pytest.fixture
def panel(nuke: Nuke, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module."""
    assert nuke
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, "vidstyle_panel", raising=False)
    import vidstyle_panel

    yield vidstyle_panel
    del sys.modules["vidstyle_panel"]
