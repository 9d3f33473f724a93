"""Exported files: one contract for every runtime.

They are made of a network with random weights, small enough to be exported in seconds.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch

from vidstyle.choices import EXPORTS
from vidstyle.errors import DeviceError, QualityError, UsageError, WeightsError
from vidstyle.export import tensorrt
from vidstyle.export.backend import build_backend
from vidstyle.export.export import CPU, export
from vidstyle.export.formats import FORMATS, format_of, load
from vidstyle.export.graph import StyleGraph
from vidstyle.export.parity import Bound, compare
from vidstyle.export.probe import Probe, natural_noise, paired_probes, probe
from vidstyle.models import weights
from vidstyle.style.build import build_stylizer
from vidstyle.style.micro import Architecture, MicroNetwork
from vidstyle.style.stylizer import Stylizer
from vidstyle.train.save import save_model


@pytest.fixture(scope="session", autouse=True)
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """What is exported here is recorded here, not in the user's folder."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("records")
        patch.setattr("vidstyle.export.own._folder", lambda: folder)
        yield patch


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A style model that paints and judges at random."""
    torch.manual_seed(0)
    sizes = Architecture("micro", 8, 8, 8, 8, (1, 1, 1, 1), attention=4)
    network = MicroNetwork(sizes).requires_grad_(False)
    assert network.attention is not None
    network.attention.judge.weight.normal_()
    folder = tmp_path_factory.mktemp("models") / "random"
    save_model(folder, network, ridge=0.1, licence="CC0-1.0")
    return str(folder)


@pytest.fixture(scope="session")
def stylizer(model: str) -> Stylizer:
    return build_stylizer(model, CPU)


@pytest.fixture(scope="session")
def calibration(stylizer: Stylizer) -> list[Probe]:
    pictures = [natural_noise((1, 3, 64, 96), seed) for seed in range(3)]
    return paired_probes(stylizer, pictures, pictures[::-1])


@pytest.fixture(scope="session", params=EXPORTS)
def exported(
    request: pytest.FixtureRequest,
    model: str,
    calibration: Sequence[Probe],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[str, Path]:
    """A format's name, and a file of it."""
    name: str = request.param
    if name == "tensorrt" and (reason := tensorrt.missing()):
        pytest.skip(reason)
    if name in ("onnx", "int8"):
        pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("exported") / f"random{FORMATS[name].suffix}"
    export(model, name, path, calibration=calibration if name == "int8" else ())
    return name, path


def test_any_size_batch_and_style(exported: tuple[str, Path], stylizer: Stylizer) -> None:
    """The frames of eager PyTorch, within the format's bound, for maps that it has never seen."""
    name, path = exported
    runtime, _ = load(name, path, CPU)
    graph = StyleGraph(stylizer.network)
    for seed, size in enumerate([(1, 3, 16, 16), (3, 3, 56, 40), (1, 3, 120, 88)]):
        images, style = natural_noise(size, seed), 1 - natural_noise((1, 3, 64, 64), seed + 9) ** 3
        given = [probe(stylizer, images, style)]
        eager = graph(given[0].images, *given[0].maps)
        assert (eager - images).abs().mean() > 0.05
        difference = compare(lambda images, maps: graph(images, *maps), runtime, given)
        FORMATS[name].bound.check(difference, name)


def test_a_stylizer_takes_it_for_its_network(
    exported: tuple[str, Path], model: str, stylizer: Stylizer
) -> None:
    """Sides that are no multiples of 8, and strength, are the stylizer's matter."""
    name, path = exported
    backend = build_backend(str(path), model, CPU)
    other = build_stylizer(model, CPU, backend)
    images = natural_noise((2, 3, 37, 51), seed=5)
    style = stylizer.style(natural_noise((1, 3, 64, 64), seed=6) ** 2)
    transfer = stylizer.transfer(lambda: [(images, torch.ones_like(images[:, :1]))], style)
    wanted, got = stylizer(images, transfer, 0.7), other(images, transfer, 0.7)
    assert got.shape == images.shape
    assert (got - wanted).abs().mean() * 255 <= FORMATS[name].bound.mean


@pytest.mark.weights
@pytest.mark.skipif(weights.find("vgg19") is None, reason="run `vidstyle models fetch vgg19`")
@pytest.mark.parametrize("name", ["torchscript", "torch-export", "onnx"])
def test_vgg19_paints_the_same_from_a_file(name: str, tmp_path: Path) -> None:
    """With its own weights; export itself compares what it wrote, with pictures of another size."""
    if name == "onnx":
        pytest.importorskip("onnxruntime")
    path = tmp_path / f"vgg19{FORMATS[name].suffix}"
    export("vgg19", name, path)
    images, painting = natural_noise((2, 3, 43, 60), seed=3), natural_noise((1, 3, 64, 64), seed=4)
    eager, other = (
        build_stylizer("vgg19", CPU, build_backend(given, "vgg19", CPU))
        for given in ("torch", str(path))
    )
    transfer = eager.transfer(
        lambda: [(images, torch.ones_like(images[:, :1]))], eager.style(painting**2)
    )
    wanted, got = eager(images, transfer), other(images, transfer)
    assert (wanted - images).abs().mean() > 0.05
    assert (got - wanted).abs().mean() * 255 <= FORMATS[name].bound.mean


def test_a_file_of_another_model_is_refused(exported: tuple[str, Path], tiny_model: Path) -> None:
    with pytest.raises(WeightsError, match="a model other than"):
        build_backend(str(exported[1]), str(tiny_model), CPU)


def test_a_damaged_file_is_refused(exported: tuple[str, Path], model: str, tmp_path: Path) -> None:
    name, path = exported
    damaged = tmp_path / path.name
    damaged.write_bytes(path.read_bytes()[:1000])
    expected = "not exported by this user" if FORMATS[name].is_code else "cannot be read"
    with pytest.raises(WeightsError, match=expected):
        build_backend(str(damaged), model, CPU)


class _Trap:
    """What touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


def test_a_file_that_could_run_code_is_not_opened(model: str, tmp_path: Path) -> None:
    """PyTorch unpickles the example inputs of a program, whatever they are."""
    whole, state, trap = (tmp_path / name for name in ("whole.pt2", "state", "trap.pt2"))
    export(model, "torch-export", whole)
    torch.save(_Trap(tmp_path / "sprung"), state)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(trap, "w") as archive:
        for name in source.namelist():
            is_input = name.endswith("sample_inputs/model.pt")
            archive.writestr(name, state.read_bytes() if is_input else source.read(name))
    with pytest.raises(WeightsError, match=r"not exported by this user .* can run code; export it"):
        build_backend(str(trap), model, CPU)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("suffix", [".pt", ".pt2", ".engine"])
def test_nor_is_any_other_of_a_format_that_is_code(model: str, tmp_path: Path, suffix: str) -> None:
    other = tmp_path / f"other{suffix}"
    other.write_bytes(b"another's")
    with pytest.raises(WeightsError, match="not exported by this user"):
        build_backend(str(other), model, CPU)


def test_what_was_exported_here_may_be_moved(
    exported: tuple[str, Path], model: str, tmp_path: Path
) -> None:
    moved = tmp_path / exported[1].name
    moved.write_bytes(exported[1].read_bytes())
    assert build_backend(str(moved), model, CPU) is not None


def test_a_cached_file_of_somebody_else_is_made_anew(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cached.pt"
    cached.write_bytes(b"another's")
    monkeypatch.setattr("vidstyle.export.backend.default_target", lambda *_: cached)
    assert build_backend("torchscript", model, CPU) is not None
    assert cached.read_bytes() != b"another's"


def test_nothing_is_left_of_a_file_that_is_too_far_off(model: str, tmp_path: Path) -> None:
    target = tmp_path / "random.pt"
    with pytest.raises(QualityError, match="at most mean"):
        export(model, "torchscript", target, bound=Bound(mean=-1, largest=0))
    assert not list(tmp_path.iterdir())


def test_a_missing_file_names_the_command(model: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="vidstyle export"):
        build_backend(str(tmp_path / "none.onnx"), model, CPU)


def test_int8_needs_frames(model: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--calibrate"):
        export(model, "int8", tmp_path / "random.int8.onnx")


def test_int8_leaves_what_the_map_amplifies(
    model: str, calibration: Sequence[Probe], tmp_path: Path
) -> None:
    """The encoder, and the decoder's first residual convolution, of one at each resolution."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    path = tmp_path / "random.int8.onnx"
    export(model, "int8", path, calibration=calibration)
    nodes = onnx.load(path).graph.node
    made_by = {name: node for node in nodes for name in node.output}
    quantized = [
        made_by[node.input[1]].input[0]
        for node in nodes
        if node.op_type == "Conv" and node.input[1] in made_by
    ]
    assert quantized == ["network.fine.0.conv.weight_quantized"]


@pytest.mark.skipif(tensorrt.missing() is None, reason="TensorRT is here")
def test_without_tensorrt_the_graph_is_left(model: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(DeviceError, match=r"random\.onnx"):
        export(model, "tensorrt", tmp_path / "random.engine")
    assert [path.name for path in tmp_path.iterdir()] == ["random.onnx"]


def test_without_tensorrt_a_graph_that_is_there_stays(
    model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt, "missing", lambda: "no TensorRT")
    (tmp_path / "random.onnx").write_text("mine")
    with pytest.raises(DeviceError, match=r"random\.onnx is already there"):
        export(model, "tensorrt", tmp_path / "random.engine")
    assert (tmp_path / "random.onnx").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.onnx", "onnx"),
        ("a.int8.onnx", "int8"),
        ("a.pt", "torchscript"),
        ("a.pt2", "torch-export"),
    ],
)
def test_the_suffix_names_the_format(name: str, expected: str) -> None:
    assert format_of(Path(name)) == expected


def test_no_such_format() -> None:
    with pytest.raises(UsageError, match=r"\.onnx"):
        format_of(Path("a.gguf"))
