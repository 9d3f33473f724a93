"""Masks of real pictures, in each of the formats that annotators use."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pycocotools.mask
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from vidstyle.errors import MediaError
from vidstyle.train.masks import read_masks

SIZE = (480, 854)
PICTURES = [
    Path(f"somewhere/{number:05d}.jpg") for number in (0, 20, 22)
]  # without holes, which outlines cannot have


@pytest.fixture
def truth(data: Callable[[str], Path]) -> Path:
    """The folder of the true masks of a dog that runs."""
    return data("davis/libby/masks")


def _mask(truth: Path, picture: Path) -> NDArray[np.uint8]:
    """(H, W), 0 or 1."""
    grey = cv2.imread(str(truth / f"{picture.stem}.png"), cv2.IMREAD_GRAYSCALE)
    return np.asarray(grey // 255, np.uint8)


def _polygons(mask: NDArray[np.uint8]) -> list[list[list[float]]]:
    """Outlines through the centres of the pixels along the edge, as annotators click them."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return [(outline[:, 0] + 0.5).tolist() for outline in outlines if len(outline) > 2]


def _labelme(shapes: list[dict[str, Any]], size: tuple[int, int] = SIZE) -> str:
    return json.dumps(
        {"shapes": shapes, "imagePath": "x.jpg", "imageHeight": size[0], "imageWidth": size[1]}
    )


def _shape(kind: str, points: list[list[float]], label: str = "dog") -> dict[str, Any]:
    return {"label": label, "points": points, "shape_type": kind}


def _coco(folder: Path, segmentations: list[Any], category: int = 18) -> Path:
    """A file with one instance in each of the pictures."""
    content = {
        "images": [
            {"id": n, "file_name": f"train/{path.name}", "height": SIZE[0], "width": SIZE[1]}
            for n, path in enumerate(PICTURES)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 18, "name": "dog"}],
        "annotations": [
            {"id": n, "image_id": n, "category_id": category, "segmentation": segmentation}
            for n, segmentation in enumerate(segmentations)
        ],
    }
    file = folder / "instances.json"
    file.write_text(json.dumps(content))
    return file


def _write_png(folder: Path, truth: Path) -> Path:
    for path in PICTURES:
        shutil.copy(truth / f"{path.stem}.png", folder)
    return folder


def _write_png_of_ones(folder: Path, truth: Path) -> Path:
    for path in PICTURES:
        cv2.imwrite(str(folder / f"{path.stem}.png"), _mask(truth, path))
    return folder


def _write_labelme(folder: Path, truth: Path) -> Path:
    for path in PICTURES:
        shapes = [_shape("polygon", points) for points in _polygons(_mask(truth, path))]
        (folder / f"{path.stem}.json").write_text(_labelme(shapes))
    return folder


def _write_coco_polygons(folder: Path, truth: Path) -> Path:
    outlines = [_polygons(_mask(truth, path)) for path in PICTURES]
    return _coco(folder, [[np.ravel(o).tolist() for o in each] for each in outlines])


def _write_coco_counts(folder: Path, truth: Path) -> Path:
    """Run lengths down the columns, as COCO writes those of crowds."""
    lengths = []
    for path in PICTURES:
        flat = np.concatenate([[0], _mask(truth, path).ravel("F"), [2]])
        starts = np.flatnonzero(np.diff(flat))
        counts = np.diff(np.concatenate([[0], starts])).tolist()
        lengths.append({"size": list(SIZE), "counts": counts})
    return _coco(folder, lengths)


def _write_coco_coded(folder: Path, truth: Path) -> Path:
    coded = []
    for path in PICTURES:
        code = pycocotools.mask.encode(np.asfortranarray(_mask(truth, path)))
        coded.append({"size": list(SIZE), "counts": code["counts"].decode()})
    return _coco(folder, coded)


EXACT = (_write_png, _write_png_of_ones, _write_coco_counts, _write_coco_coded)
OUTLINED = (_write_labelme, _write_coco_polygons)


@pytest.mark.parametrize("write", EXACT + OUTLINED)
def test_every_format_gives_the_true_masks(
    write: Callable[[Path, Path], Path], tmp_path: Path, truth: Path
) -> None:
    masks = read_masks(write(tmp_path, truth), [*PICTURES, Path("unmasked.jpg")])
    assert len(masks) == 3
    assert masks.read(Path("unmasked.jpg"), SIZE) is None
    for picture in PICTURES:
        mask = masks.read(picture, SIZE)
        assert mask is not None
        assert mask.dtype == torch.float32
        wrong = (mask - torch.from_numpy(_mask(truth, picture))).abs()
        # An outline through the middle of the pixels halves those along the edge.
        edge = sum(len(outline) for outline in _polygons(_mask(truth, picture)))
        assert wrong.sum() <= (0 if write in EXACT else edge)


def _drawn(folder: Path, *shapes: dict[str, Any], labels: set[str] | None = None) -> Tensor:
    (folder / "a.json").write_text(_labelme(list(shapes), (60, 80)))
    mask = read_masks(folder, [Path("a.png")], labels).read(Path("a.png"), (60, 80))
    assert mask is not None
    return mask


def test_labelme_rectangles_and_circles(tmp_path: Path) -> None:
    mask = _drawn(tmp_path, _shape("rectangle", [[30, 40], [10, 20]]))
    expected = torch.zeros(60, 80)
    expected[20:40, 10:30] = 1
    assert torch.equal(mask, expected)
    mask = _drawn(tmp_path, _shape("circle", [[40, 30], [40, 50]]))
    assert mask.sum() == pytest.approx(np.pi * 20**2, rel=0.01)
    assert mask[30, 40] == 1
    assert mask[30, 65] == 0


def test_overlapping_shapes_are_one_object(tmp_path: Path) -> None:
    """Not a hole where two overlap, as an even-odd fill would have."""
    squares = [_shape("rectangle", [[x, 10], [x + 20, 30]]) for x in (10, 20)]
    assert _drawn(tmp_path, *squares).sum() == 20 * 30


def test_labels_choose(tmp_path: Path) -> None:
    shapes = (
        _shape("rectangle", [[0, 0], [10, 10]], "lesion"),
        _shape("rectangle", [[20, 20], [40, 40]], "organ"),
        _shape("linestrip", [[0, 0], [9, 9]], "scale"),
    )
    assert _drawn(tmp_path, *shapes, labels={"lesion"}).sum() == 100
    assert _drawn(tmp_path, *shapes, labels={"lesion", "organ"}).sum() == 500
    with pytest.raises(MediaError, match=r"nothing in it is labelled 'leson'; there is lesion"):
        _drawn(tmp_path, *shapes, labels={"leson"})
    with pytest.raises(MediaError, match=r"a\.json: .*type linestrip"):
        _drawn(tmp_path, *shapes)


def test_coco_categories_choose(tmp_path: Path, truth: Path) -> None:
    source = _write_coco_polygons(tmp_path, truth)
    assert len(read_masks(source, PICTURES, {"dog"})) == 3
    with pytest.raises(MediaError, match="no mask in it belongs"):
        read_masks(source, PICTURES, {"person"})
    with pytest.raises(MediaError, match="labelled 'dogs'; there is dog"):
        read_masks(source, PICTURES, {"dogs"})


def test_names_in_a_json_file_lead_nowhere(tmp_path: Path) -> None:
    """Only the last part of a name counts, whichever slash it is written with."""
    square = [[0, 0, 4, 0, 4, 4, 0, 4]]
    source = _coco(tmp_path, [square])
    names = ["../../etc/00000.jpg", r"C:\other\00020.png", "/00022.jpg"]
    content = json.loads(source.read_text())
    for image, name in zip(content["images"], names, strict=True):
        image["file_name"] = name
    source.write_text(json.dumps(content))
    mask = read_masks(source, PICTURES).read(PICTURES[0], SIZE)
    assert mask is not None
    assert mask.sum() == 16


@pytest.mark.parametrize("write", [_write_png, _write_labelme, _write_coco_polygons])
def test_a_picture_of_another_size_is_refused(
    write: Callable[[Path, Path], Path], tmp_path: Path, truth: Path
) -> None:
    masks = read_masks(write(tmp_path, truth), PICTURES)
    with pytest.raises(MediaError, match=r"854x480.*427x240"):
        masks.read(PICTURES[0], (240, 427))


def test_an_empty_mask_is_none(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((6, 8), np.uint8))
    assert read_masks(tmp_path, [Path("a.jpg")]).read(Path("a.jpg"), (6, 8)) is None


def test_soft_mattes_stay_soft(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((6, 8), 51, np.uint8))
    mask = read_masks(tmp_path, [Path("a.jpg")]).read(Path("a.jpg"), (6, 8))
    torch.testing.assert_close(mask, torch.full((6, 8), 0.2))


def test_what_belongs_together_must_be_clear(tmp_path: Path) -> None:
    picture = np.full((6, 8), 255, np.uint8)
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "a.png"), picture)
    with pytest.raises(MediaError, match="second mask by this name"):
        read_masks(tmp_path, [Path("a.jpg")])
    with pytest.raises(MediaError, match="2 pictures are named a"):
        read_masks(tmp_path / "one", [Path("x/a.jpg"), Path("y/a.jpg")])


def test_png_masks_have_no_labels(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((6, 8), 255, np.uint8))
    with pytest.raises(MediaError, match="no labels"):
        read_masks(tmp_path, [Path("a.jpg")], {"dog"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"shapes": 5, "imageHeight": 4, "imageWidth": 4}',
        '{"shapes": [7], "imageHeight": 4, "imageWidth": 4}',
        '{"shapes": [], "imageHeight": null, "imageWidth": 4}',
        '{"shapes": []}',
        _labelme([_shape("polygon", [[0, 0], [1, float("nan")], [2, 2]])]),
        _labelme([_shape("circle", [[0, 0]])]),
        _labelme([_shape("polygon", [[0, 0], [1]])]),
    ],
)
def test_a_broken_labelme_file_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(MediaError) as caught:
        read_masks(tmp_path, [Path("a.jpg")])
    assert str(caught.value).startswith(str(tmp_path / "a.json"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "segmentation",
    [
        [[0, 0, 1e12, 0, 4, 4]],
        [[0, 0, float("nan"), 0, 4, 4]],
        [["0", "0", "4", "0", "4", "4"]],
        [[0, 0, 4, 0, 4, 4, 5]],
        {"size": [4, 4], "counts": [16]},
        {"size": list(SIZE), "counts": [7]},
        {"size": list(SIZE), "counts": [-5, 409925]},
        {"size": list(SIZE), "counts": "~~~"},
        {"counts": [7]},
    ],
)
def test_a_broken_coco_outline_is_told_in_one_line(segmentation: Any, tmp_path: Path) -> None:
    source = _coco(tmp_path, [segmentation])
    masks = read_masks(source, PICTURES)
    with pytest.raises(MediaError) as caught:
        masks.read(PICTURES[0], SIZE)
    assert str(caught.value).startswith(str(source))
    assert "\n" not in str(caught.value)


def test_a_missing_source(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="no such file or folder"):
        read_masks(tmp_path / "gone", PICTURES)
    with pytest.raises(MediaError, match="3 pictures; name masks as the pictures"):
        read_masks(tmp_path, PICTURES)
