"""Makes the example shot and styles, renders the astronaut, and says what to try next.

    python examples/first_render.py [FOLDER]

The detector that finds her by name must be here: run ``vidstyle models fetch`` once.
"""

import sys
from pathlib import Path

import make_shot
import make_styles
from tqdm import tqdm

import vidstyle


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
    styles, shot, result = folder / "styles", folder / "shot.mp4", folder / "styled.mp4"
    print(f"making {styles}/*.png and {shot} ...", flush=True)
    make_styles.write_styles(styles)
    if not shot.exists():
        make_shot.write_shot(shot)
    print(f"restyling {shot} ...", flush=True)
    with tqdm(total=100, unit="%", bar_format="{desc:>10} {bar} {n:.0f}%") as bar:

        def show(step: vidstyle.Step) -> None:
            bar.set_description(step.stage, refresh=False)
            bar.update(100 * step.fraction - bar.n)

        vidstyle.render(
            shot,
            object="person",
            style=styles / "nocturne.png",
            output=result,
            matte_out=folder / "matte.mkv",
            overwrite=True,
            on_progress=show,
        )
    print(f"""
The result is {result}; the astronaut's matte is {folder / "matte.mkv"}.
Try next:
  vidstyle render {shot} --object person --style {styles / "watercolour.png"} --strength 0.6
  vidstyle render {shot} --object person --invert --style {styles / "ink.png"}
  vidstyle render YOUR.mp4 --object box:X0,Y0,X1,Y1 --style ART.jpg
  vidstyle render --help""")


if __name__ == "__main__":
    main()
