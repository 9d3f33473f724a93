"""What carrying keeps on disk comes back, and what is damaged is named."""

from pathlib import Path

import pytest
import torch

from vidstyle.carry.field import FINENESS, GRAIN, Field, FieldFolder
from vidstyle.errors import MediaError
from vidstyle.media.frame import Box


def field(share: float = 1.0) -> Field:
    generator = torch.Generator().manual_seed(3)
    box = Box(4, 8, 44, 40)
    return Field(
        share,
        (60, 80),
        box,
        200 * torch.rand(2, box.height // GRAIN, box.width // GRAIN, generator=generator) - 100,
        torch.rand(box.height // GRAIN, box.width // GRAIN, generator=generator),
        4,
        torch.randint(-1, 60, (2, box.height // 4, box.width // 4), generator=generator).short(),
        torch.rand(box.height // 4, box.width // 4, generator=generator),
    )


def test_a_field_comes_back_to_a_fraction_of_a_pixel(tmp_path: Path) -> None:
    folder, given = FieldFolder(tmp_path / "fields"), field(0.25)
    folder.put(7, 1, given)
    ((key, found),) = folder.of(7, keys=2)
    assert key == 1
    assert (found.share, found.size, found.box, found.stride) == (0.25, (60, 80), given.box, 4)
    assert (found.offset - given.offset).abs().max() <= 0.5 / FINENESS + 1e-4
    assert (found.trust - given.trust).abs().max() <= 0.51 / 255
    assert (found.shown - given.shown).abs().max() <= 0.51 / 255
    assert torch.equal(found.matches, given.matches)


def test_frames_that_no_key_shows_have_no_field(tmp_path: Path) -> None:
    folder = FieldFolder(tmp_path)
    folder.put(7, 0, field())
    assert not folder.of(8, keys=1)


@pytest.mark.parametrize("damage", ["gone", "cut", "other"])
def test_a_damaged_file_is_named(tmp_path: Path, damage: str) -> None:
    folder = FieldFolder(tmp_path)
    folder.put(7, 0, field())
    (file,) = tmp_path.iterdir()
    match damage:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(file.read_bytes()[:-9])
        case "other":
            file.write_bytes(field(0.5).packed())
    with pytest.raises(MediaError, match=file.name):
        folder.of(7, keys=1)
