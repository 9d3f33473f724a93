"""README is read in a minute: short, with its pictures, and with links that lead somewhere."""

import re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()


def test_it_is_short() -> None:
    assert len(TEXT.split()) <= 900


def test_its_links_lead_to_files() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", TEXT) if "://" not in link]
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_it_opens_with_an_animation_that_loads_fast() -> None:
    (name,) = re.findall(r"!\[[^\]]*\]\(([^)]+\.webp)\)", TEXT)
    assert (ROOT / name).stat().st_size < 3_000_000
    with Image.open(ROOT / name) as picture:
        assert picture.n_frames > 30
