"""ARCHITECTURE.md says where every module stands, and imports keep to it; tests lie where
CONTRIBUTING.md says."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "vidstyle"


def rows() -> list[set[str]]:
    """The names of each row of the table of layers, from the top."""
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text.partition("## Layers of the code")[2].partition("\n- ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [
        {name.removesuffix(".py").strip("/") for name in re.findall(r"`([^`]+)`", cell)}
        for cell in cells
    ]


def modules() -> set[str]:
    """Modules and packages at the top of vidstyle."""
    files = {path.stem for path in PACKAGE.glob("*.py") if not path.name.startswith("__")}
    return files | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}


def imported(path: Path) -> Iterator[str]:
    """What a file imports of vidstyle, by the name at the top; not what is for annotations."""
    tree = ast.parse(path.read_text())
    for block in ast.walk(tree):
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING":
            block.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            package, _, name = node.module.partition(".")
            if package == "vidstyle":
                yield from [name.partition(".")[0]] if name else [n.name for n in node.names]


def place(name: str) -> int:
    return next(number for number, row in enumerate(rows()) if name in row)


def test_every_module_stands_in_one_row() -> None:
    told = [name for row in rows() for name in row if "/" not in name]
    assert sorted(told) == sorted(modules())


def test_no_row_imports_one_above_it() -> None:
    places = {name: place(name) for name in modules()}
    breaks = {
        f"{importer.stem} imports {name}"
        for importer in PACKAGE.iterdir()
        if importer.stem in places
        for file in ([importer] if importer.is_file() else importer.rglob("*.py"))
        for name in imported(file)
        if name in places and places[name] < places[importer.stem]
    }
    assert not breaks


def test_a_folder_of_tests_is_named_for_what_it_tests() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders = {path.parent.name for path in ROOT.glob("tests/*/test_*.py")}
    assert folders <= packages | {"docs", "examples", "tools"}
