"""``torch.export``: a graph of PyTorch's own operators, for its compilers (.pt2)."""

from pathlib import Path
from typing import BinaryIO

import torch
from torch.export import Dim, ExportedProgram

from vidstyle.export.graph import EXAMPLE_SIZE, MAPS, Runtime, StyleGraph, example_maps
from vidstyle.style.network import GRID

_MODEL = "vidstyle_model"


def program_of(graph: StyleGraph) -> ExportedProgram:
    """The graph, for any batch, and any height and width that are multiples of ``GRID``."""
    rows, columns = Dim("rows", min=2), Dim("columns", min=2)
    free = {0: Dim("batch"), 2: GRID * rows, 3: GRID * columns}
    # With gradients enabled the network uses only operators that every runtime has.
    with torch.enable_grad():
        return torch.export.export(
            graph,
            (torch.rand(2, 3, *EXAMPLE_SIZE), *example_maps(graph.network.channels)),
            dynamic_shapes={"images": free, **{name: {} for name in MAPS}},
        )


def write(graph: StyleGraph, file: BinaryIO, model: str) -> None:
    """
    Args:
        model: sha256 of the style model's weights, which is stored in the file.
    """
    # Packing mistakes channels-last weights for views of others.
    program = program_of(graph.to(memory_format=torch.contiguous_format))
    torch.export.save(program, file, extra_files={_MODEL: model})


def load(path: Path, device: torch.device) -> tuple[Runtime, str]:
    """A runtime, and the sha256 of the model that it was exported from."""
    kept = {_MODEL: ""}
    with path.open("rb") as file:
        module = torch.export.load(file, extra_files=kept).module().to(device)
    return (lambda images, maps: module(images, *maps)), kept[_MODEL]
