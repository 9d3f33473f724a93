"""ARCHITECTURE.md's table of rooms is the contract that import-linter checks; tests lie where
CONTRIBUTING.md says."""

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "vidstyle"


def test_the_table_of_rooms_is_the_contract() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    table = text.partition("## Rooms")[2].partition("\n- ")[0]
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    contract = config["importlinter:contract:layers"]
    assert contract["exhaustive"] == "True"
    layers = [line.split(" | ") for line in contract["layers"].split("\n") if line.strip()]
    assert [re.findall(r"`([^`]+)`", cell) for cell in cells] == layers


def test_a_folder_of_tests_is_named_for_what_it_tests() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders = {path.parent.name for path in ROOT.glob("tests/*/test_*.py")}
    assert folders <= packages | {"docs", "examples", "tools"}


def test_files_named_in_architecture_are_there() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = {name for name in re.findall(r"`([\w/]+\.py)`", text) if "/" in name}
    missing = {
        name for name in named if not any((root / name).exists() for root in (ROOT, PACKAGE))
    }
    assert not missing
