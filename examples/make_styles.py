"""Paints the example styles: an oil nocturne, a cubist still life, an ink drawing, a watercolour.

    python examples/make_styles.py styles/

Each is 512×512, painted by this script from noise and geometry, and the same every time.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from brushwork import STEP, Canvas, colour, noise, ramp
from numpy.typing import NDArray

SIDE = 512
_WORK = 1024  # painted at twice the size, so that fine bristles survive


def nocturne() -> NDArray[np.uint8]:
    """Whirling night sky over hills, in thick oil: blues, teals and yellows."""
    random = np.random.default_rng(3)
    rows, columns = np.mgrid[:_WORK, :_WORK].astype(np.float32) / _WORK

    # The sky streams to the right and turns about its lights.
    drift = 0.5 * noise(_WORK, 3, random)
    field_x, field_y = np.cos(drift), np.sin(drift)
    glow = np.zeros((_WORK, _WORK), np.float32)
    lights = [
        (0.76, 0.2, 0.115, 1), (0.3, 0.33, 0.095, -1), (0.55, 0.47, 0.05, 1), (0.12, 0.12, 0.05, 1),
        (0.47, 0.1, 0.04, -1), (0.92, 0.48, 0.045, -1), (0.08, 0.52, 0.04, 1),
    ]  # fmt: skip
    for x, y, radius, turn in lights:
        dx, dy = columns - x, rows - y
        distance = np.hypot(dx, dy) + 1e-6
        pull = 3.2 * np.exp(-((distance / (2.1 * radius)) ** 2)) / distance * turn
        field_x, field_y = field_x - pull * dy, field_y + pull * dx
        rings = 0.5 + 0.5 * np.cos(2 * math.pi * distance / (0.8 * radius))
        halo = np.exp(-((distance / (1.6 * radius)) ** 2))
        glow = np.maximum(glow, halo * (0.72 + 0.28 * rings))
    sky_angle = np.arctan2(field_y, field_x).astype(np.float32)

    bands = noise(_WORK, 4, random, 3)
    stream = np.sin(9 * rows + 2.4 * bands + 3 * columns)
    depth = np.clip(0.38 + 0.2 * stream + 0.14 * bands, 0, 1)
    sky = ramp(depth, ["0b1440", "12286e", "1d4fa0", "2f7fc0", "6fb4d6", "b9dde0"])
    lamp = ramp(glow, ["2a62ad", "5d9bb8", "c7c56a", "f2c230", "f9dd62", "fdf3b8"])
    share = np.clip(glow * 2.1 - 0.28, 0, 1)[..., None]
    picture = sky * (1 - share) + lamp * share

    # Two ridges, brushed along their slopes.
    angle = sky_angle
    ridges = [
        (0.7, 0.05, ["0d2a3f", "1a4f5c", "3b8070"]),
        (0.82, 0.07, ["06141f", "0f3230", "2f5f3c", "7f8f3d"]),
    ]
    for base, swing, colours in ridges:
        line = base + swing * noise(_WORK, 3, random)[0] * 0.8
        below = rows > line[None]
        slope = np.arctan(np.gradient(line) * _WORK)[None] + 0.25 * noise(_WORK, 5, random)
        tone = np.clip(0.4 + 0.3 * noise(_WORK, 6, random, 2) - 1.2 * (rows - line[None]), 0, 1)
        picture = np.where(below[..., None], ramp(tone, colours), picture)
        angle = np.where(below, slope, angle).astype(np.float32)

    canvas = Canvas(np.full((_WORK, _WORK, 3), colour("16306a")))
    bright = np.clip(glow * 1.8 - 0.2, 0, 1)
    for strokes, width, length, where in (
        (2400, 26, 110, None),
        (7000, 13, 64, None),
        (5000, 10, 40, bright),
    ):
        canvas.cover(
            picture, angle, strokes=strokes, width=width, length=length, random=random,
            variation=0.06, where=where,
        )  # fmt: skip
    return canvas.lit(SIDE)


def facets() -> NDArray[np.uint8]:
    """A view taken apart into planes by lines and arcs, in the earth colours of early cubism."""
    random = np.random.default_rng(17)
    rows, columns = np.mgrid[:_WORK, :_WORK].astype(np.float32) / _WORK

    # Each line or arc parts the canvas in two; a plane is what lies on the same sides of them all.
    sides = []
    for _ in range(16):
        lean = random.choice([0.25, 0.85, 1.35, 2.2, 2.75]) + random.normal(0, 0.09)
        x, y = random.normal(0.5, 0.3, 2)
        sides.append((columns - x) * math.cos(lean) + (rows - y) * math.sin(lean))
    for radius in (0.11, 0.17, 0.3, 0.42):
        x, y = random.normal(0.5, 0.13, 2)
        sides.append(np.hypot(columns - x, rows - y) - radius)
    code = np.zeros((_WORK, _WORK), np.int64)
    for bit, side in enumerate(sides):
        code += (side > 0).astype(np.int64) << bit
    planes = np.unique(code, return_inverse=True)[1].reshape(code.shape)
    count = int(planes.max()) + 1

    palette = ["3a2115", "6b3620", "9c4f27", "bf7a35", "d6a057", "e6c68d", "f0e3c4", "efe0b8",
               "77795c", "4f6a6e", "2f4a57", "b4472d"]  # fmt: skip
    weights = np.array([5, 8, 11, 14, 14, 13, 9, 7, 7, 7, 5, 6], float)
    table = np.array([colour(name) for name in palette])
    paint = table[random.choice(len(palette), count, p=weights / weights.sum())]
    lean = random.choice(8, count) * math.pi / 4 + 0.3
    # Every plane fades across itself, from shade at one edge to light at the other.
    across = columns * np.cos(lean)[planes] + rows * np.sin(lean)[planes]
    lowest, highest = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(lowest, planes, across)
    np.maximum.at(highest, planes, across)
    light = (across - lowest[planes]) / (highest - lowest + 1e-6)[planes]
    picture = (paint[planes] * (0.62 + 0.55 * light[..., None])).clip(0, 1).astype(np.float32)
    angle = (lean[planes] + math.pi / 2).astype(np.float32)

    canvas = Canvas(picture)
    for strokes, width, length in ((5000, 13, 40), (9000, 7, 24)):
        canvas.cover(
            picture, angle, strokes=strokes, width=width, length=length, random=random,
            variation=0.035,
        )  # fmt: skip
    # Contours come and go, as a loaded brush does.
    umber, load = colour("20120c"), noise(_WORK, 9, random, 2)
    for side in sides:
        outline = (side > 0).astype(np.uint8)
        for contour in cv2.findContours(outline, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]:
            path = contour[:: round(STEP), 0].astype(np.float64)
            for start in range(0, len(path) - 12, 22):
                piece = path[start : start + 26]
                x, y = piece[0].astype(int)
                at_border = (piece < 3).any() or (piece > _WORK - 4).any()
                if load[y, x] > -0.35 and not at_border:
                    weight = 3.2 + 1.3 * float(load[y, x])
                    canvas.stroke(piece, umber, weight, random, variation=0.03)
    return canvas.lit(SIDE)


def ink() -> NDArray[np.uint8]:
    """A pen drawing of mountains: hatching that follows the land, on laid paper."""
    random = np.random.default_rng(5)
    rows, columns = np.mgrid[:_WORK, :_WORK].astype(np.float32) / _WORK
    tone = np.clip(0.97 - 0.25 * np.clip(0.5 - rows, 0, 1) ** 2, 0, 1)
    lean = np.full((_WORK, _WORK), 0.12, np.float32)
    sun = np.hypot(columns - 0.7, rows - 0.2)
    tone = np.where(sun < 0.085, 1.0, tone)

    contours: list[NDArray[np.float64]] = []
    for layer, (base, height) in enumerate(((0.42, 0.11), (0.55, 0.12), (0.7, 0.1), (0.86, 0.07))):
        peaks = np.abs(noise(_WORK, 4 + layer, random, 5)[17])
        ridge = base - height * (peaks - 0.6)
        depth = rows - ridge[None]
        below = depth > 0
        relief = noise(_WORK, 7 + 2 * layer, random, 5)
        lit = np.gradient(relief, axis=1) * 42 - np.gradient(relief, axis=0) * 18
        shade = np.clip(0.8 - 0.13 * layer + 0.33 * lit - 0.25 * np.exp(-depth * 26), 0, 1)
        shade = shade + (1 - shade) * np.clip(depth * 2.4, 0, 0.85)  # mist in the valleys
        tone = np.where(below, shade, tone)
        fall = math.pi / 2 + np.clip(2.2 * np.gradient(ridge) * _WORK, -1, 1)[None] * 0.6
        lean = np.where(below, fall + 0.3 * relief, lean).astype(np.float32)
        x = np.arange(0, _WORK, 3)
        contours.append(np.stack([x, ridge[x] * _WORK], axis=1))

    paper = np.full((_WORK, _WORK), 244.0, np.float32)
    sheet = paper.astype(np.uint8)
    passes = ((0.86, 0.0), (0.68, 0.0), (0.5, 0.55), (0.36, -0.6), (0.2, 1.1))
    for limit, turn in passes:
        for start in random.uniform(0, _WORK, (15000, 2)):
            x, y = start.astype(int)
            if tone[y, x] < limit * random.uniform(0.9, 1.03):
                _pen(sheet, start, lean[y, x] + turn, random.uniform(14, 40), random)
    for contour in contours:
        for weight in (0.0, 1.5):
            wander = contour + random.normal(0, 0.8, contour.shape) + [0, weight]
            points = [(wander * 8).round().astype(np.int32)]
            cv2.polylines(sheet, points, False, 25, 2, cv2.LINE_AA, 3)

    fibres = 0.012 * noise(_WORK, 200, random) + 0.015 * noise(_WORK, 5, random, 3)
    cover = 1 - sheet.astype(np.float32)[..., None] / 244
    cream = colour("f3ead3") * (1 + fibres[..., None])
    drawing = cream * (1 - cover) + colour("1b2033") * cover
    small = cv2.resize(drawing, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray((small * 255).round().clip(0, 255), np.uint8)


def _pen(
    sheet: NDArray[np.uint8],
    start: NDArray[np.float64],
    angle: float,
    length: float,
    random: np.random.Generator,
) -> None:
    """One short, slightly bowed line."""
    along = np.linspace(-0.5, 0.5, 7)[:, None] * length
    bow = (1 - (np.linspace(-1, 1, 7) ** 2))[:, None] * random.normal(0, 0.05) * length
    direction = np.array([math.cos(angle), math.sin(angle)])
    points = start + along * direction + bow * direction[::-1] * [-1, 1]
    grey = float(random.uniform(15, 70))
    cv2.polylines(sheet, [(points * 8).round().astype(np.int32)], False, grey, 1, cv2.LINE_AA, 3)


def watercolour() -> NDArray[np.uint8]:
    """Flowers in washes that bleed into wet paper: rose, violet, gold and leaf green."""
    random = np.random.default_rng(21)
    grain = noise(_WORK, 220, random, 2)
    paper = 0.965 + 0.012 * grain + 0.01 * noise(_WORK, 6, random, 2)
    painting = np.repeat(paper[..., None], 3, axis=2) * colour("fdf9f0")
    bleed = noise(_WORK, 10, random, 4)

    def wash(points: NDArray[np.float64], code: str, strength: float) -> None:
        """A transparent layer of pigment: uneven, darker at its rim, settled in the grain."""
        low = np.maximum(points.min(axis=0).astype(int) - 60, 0)
        high = np.minimum(points.max(axis=0).astype(int) + 60, _WORK)
        box = slice(low[1], high[1]), slice(low[0], high[0])
        density = np.zeros(bleed[box].shape, np.float32)
        layers = 14
        for _ in range(layers):
            mask = np.zeros_like(density)
            edge = _roughened(points, random) - low
            cv2.fillPoly(mask, [edge.round().astype(np.int32)], 1.0 / layers)
            density += mask
        soft = cv2.GaussianBlur(density, (0, 0), 2.5)
        rim = np.clip(soft - cv2.GaussianBlur(density, (0, 0), 14), 0, 1)
        pigment = strength * (soft * (0.75 + 0.2 * bleed[box] + 0.06 * grain[box]) + 1.1 * rim)
        # Beer's law: each layer takes its share of what light the ones below gave back.
        painting[box] *= np.exp(np.log(colour(code) + 0.02) * pigment.clip(0)[..., None])

    for code, x, y, size, strength in (
        ("bcd9e6", 300, 260, 420, 0.75), ("f3d9a8", 760, 700, 430, 0.7),
        ("d9cdea", 720, 240, 330, 0.6), ("cfe3c0", 260, 760, 380, 0.75),
    ):  # fmt: skip
        wash(_blob(x, y, size, size * 0.8, 0, random), code, strength)
    for x, y, bend in ((360, 980, -0.5), (520, 1010, 0.1), (660, 990, 0.5)):
        stem = np.linspace(0, 1, 30)
        middle = np.stack([x + bend * 240 * stem**2, y - 560 * stem], axis=1)
        half = np.array([5.5, 0])
        outline = np.concatenate([middle - half, np.flip(middle + half, axis=0)])
        wash(outline, "4f7f4a", 0.9)
        for _ in range(4):
            at = middle[random.integers(4, 22)]
            lean = random.choice([-1, 1]) * random.uniform(0.4, 1.0)
            leaf = _blob(at[0] + 75 * lean, at[1] - 30, 95, 27, -0.6 * lean, random)
            wash(leaf, str(random.choice(["3f7d55", "6f9b45", "2f6b6a"])), random.uniform(0.5, 0.9))
    flowers = [(255, 400, 150, "c8325f"), (540, 330, 175, "7a3f9d"), (770, 450, 145, "e2882c"),
               (410, 590, 105, "d9486e"), (650, 640, 100, "4a63b5")]  # fmt: skip
    for x, y, size, code in flowers:
        for turn in np.linspace(0, 2 * math.pi, 7)[:-1] + random.uniform(0, 1):
            reach = size * random.uniform(0.45, 0.62)
            px, py = x + reach * math.cos(turn), y + reach * math.sin(turn)
            petal = _blob(px, py, size * 0.55, size * 0.36, turn, random)
            wash(petal, code, random.uniform(0.45, 0.8))
        wash(_blob(x, y, size * 0.22, size * 0.2, 0, random), "7a4a12", 1.1)
    for _ in range(60):
        x, y = random.uniform(60, 964, 2)
        drop = _blob(x, y, random.uniform(2, 9), random.uniform(2, 9), 0, random)
        code = str(random.choice(["c8325f", "7a3f9d", "e2882c", "3f7d55", "4a63b5"]))
        wash(drop, code, 0.7)
    small = cv2.resize(painting, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray((small * 255).round().clip(0, 255), np.uint8)


def _blob(
    x: float, y: float, long: float, short: float, turn: float, random: np.random.Generator
) -> NDArray[np.float64]:
    """An uneven ellipse: (24, 2) points."""
    around = np.linspace(0, 2 * math.pi, 25)[:-1]
    uneven = 1 + random.normal(0, 0.08, 24)
    shape = np.stack([long * np.cos(around), short * np.sin(around)], axis=1) * uneven[:, None]
    rotation = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return np.asarray(np.array([x, y]) + shape @ rotation, np.float64)


def _roughened(points: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.float64]:
    """The outline as wet paint leaves it: every edge broken at a point that strays, four times."""
    for _ in range(4):
        following = np.roll(points, -1, axis=0)
        span = np.linalg.norm(following - points, axis=1, keepdims=True)
        middle = (points + following) / 2 + random.normal(0, 0.16, points.shape) * span
        points = np.concatenate([points, middle], axis=1).reshape(-1, 2)
    return points


STYLES: dict[str, Callable[[], NDArray[np.uint8]]] = {
    "nocturne": nocturne,
    "facets": facets,
    "ink": ink,
    "watercolour": watercolour,
}


def write_styles(folder: Path) -> list[Path]:
    """Paint every style into ``folder``, made if missing; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, paint in STYLES.items():
        path = folder / f"{name}.png"
        if not cv2.imwrite(str(path), paint()[..., ::-1]):
            raise OSError(f"{path}: cannot be written")
        paths.append(path)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the pictures go")
    for path in write_styles(parser.parse_args().folder):
        print(path)


if __name__ == "__main__":
    main()
