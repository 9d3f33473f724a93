"""What a release says of itself agrees: versions, changelog, licences of weights, workflows."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import vidstyle
from vidstyle.models.registry import HUB, LIGHT_SET, REGISTRY

ROOT = Path(__file__).parents[1]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_said_once() -> None:
    setup = configparser.ConfigParser()
    setup.read_string(read("setup.cfg"))
    assert setup["metadata"]["version"] == "attr: vidstyle.__version__"
    sections = re.findall(r"^## (\S+)", read("CHANGELOG.md"), re.MULTILINE)
    assert next(name for name in sections if name != "Unreleased") == vidstyle.__version__
    assert yaml.safe_load(read("CITATION.cff"))["version"] == vidstyle.__version__
    nodes = tomllib.loads(read("examples/comfyui/pyproject.toml"))["project"]
    assert nodes["version"] == vidstyle.__version__
    assert nodes["dependencies"] == read("examples/comfyui/requirements.txt").split()


def rows() -> dict[str, list[str]]:
    """Cells of the table of licences, by name."""
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in read("docs/licences.md").splitlines()
        if line.startswith("| `")
    ]
    return {row[0].strip("`"): row[1:] for row in cells}


def test_the_licence_of_every_weight_is_told() -> None:
    bundled = {path.parent.name: path for path in (ROOT / "models").glob("*/config.toml")}
    told = rows()
    assert told.keys() == REGISTRY.keys() | HUB.keys() | bundled.keys()
    for name, entry in (REGISTRY | HUB).items():
        assert told[name][:2] == [entry.role, entry.licence], name
        assert all(told[name]), name
    for name, path in bundled.items():
        assert told[name][1] == tomllib.loads(path.read_text(encoding="utf-8"))["licence"], name
    assert ", ".join(f"`{name}`" for name in LIGHT_SET) in read("docs/licences.md")


def workflow(name: str) -> Any:
    return yaml.safe_load(read(f".github/workflows/{name}.yml"))


def test_nothing_is_published_that_was_not_installed_everywhere() -> None:
    jobs = workflow("release")["jobs"]
    said = [step.get("run", "") for step in jobs["build"]["steps"]]
    assert "twine check --strict dist/*" in said
    assert jobs["install"]["needs"] == "build"
    assert jobs["publish"]["needs"] == "install"
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert {job for job in jobs if "id-token" in str(jobs[job].get("permissions"))} == {"publish"}
    matrix = jobs["install"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "windows", "macos"}
    platforms = workflow("ci")["jobs"]["platforms"]["strategy"]["matrix"]
    assert matrix["python"] == platforms["python"]


@pytest.mark.parametrize("name", ["bug", "wish"])
def test_forms_for_issues_ask(name: str) -> None:
    form = yaml.safe_load(read(f".github/ISSUE_TEMPLATE/{name}.yml"))
    assert {"name", "description", "body"} <= form.keys()
    fields = [field["id"] for field in form["body"]]
    assert len(fields) == len({*fields})
    assert any(field.get("validations", {}).get("required") for field in form["body"])
