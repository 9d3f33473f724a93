"""Quality control of a render: its output scored against its plate, as ``vidstyle evaluate`` does.

Needs the packages of the extra ``evaluate``: a render imports this only when it is asked for.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vidstyle.errors import UsageError
from vidstyle.evaluate.evaluation import Job, check_job, evaluate
from vidstyle.evaluate.page import as_html
from vidstyle.evaluate.tables import as_content
from vidstyle.media.frame import Box
from vidstyle.options import QualityOptions
from vidstyle.pipeline.analysis import Take
from vidstyle.pipeline.preparation import Request
from vidstyle.runtime.atomic import write_text
from vidstyle.runtime.progress import Progress
from vidstyle.segment.mattes.store import Matte, Mattes, bounding_box


class QualityControl:
    """Scores an output. Created before the render, so that anything missing is reported early.

    Motion is judged by an estimator that the render does not use. The distance to the style is
    measured if all objects share one; the inside, edges and outside of the mattes are scored
    separately if all objects have mattes.
    """

    def __init__(self, wanted: QualityOptions, request: Request, target: str, flow: str) -> None:
        """
        Args:
            target: the output.
            flow: estimator that the render uses, or ``none``.

        Raises:
            UsageError: a threshold is invalid, or the output is not comparable to the plate.
            WeightsError: no other estimator is on this machine.
            DeviceError: no such device.
        """
        options = request.options
        if options.element:
            raise UsageError("--qc: an element shows no plate to compare; leave out --element")
        if ":" in (options.colorspace or ""):
            raise UsageError(
                f"--qc: the output is in another space than the plate (--colorspace "
                f"{options.colorspace}); leave out --qc, or the output's space"
            )
        self._page = wanted.page
        styles = {each.style for each in request.objects}
        self._has_mattes = all(each.object is not None for each in request.objects)
        self._job = Job(
            plate=request.source,
            results=[target],
            style=styles.pop() if len(styles) == 1 else None,
            matte=_Union([]) if self._has_mattes else None,
            flow_cache=options.flow_cache,
            flow_cache_size=options.flow_cache_size,
            used=() if flow == "none" else (flow,),
            part=True,
            step=wanted.step,
            device=options.device,
            fail_above=wanted.fail_above,
            fail_below=wanted.fail_below,
        )
        check_job(self._job)

    def __call__(self, take: Take, mattes: Sequence[Mattes], progress: Progress) -> dict[str, Any]:
        """Score the output, and write the page if requested.

        Args:
            take: the rendered part of the clip.
            mattes: of the objects.

        Returns:
            The content of ``vidstyle evaluate --json``; see ``tables.as_content``.

        Raises:
            MediaError: the output's frames do not match the take's.
        """
        job = replace(
            self._job,
            matte=_Union(mattes) if self._has_mattes else None,
            first=take.start,
            last=take.count - 1,
            cuts=[shot.start for shot in take.shots[1:]],
        )
        done = evaluate(job, progress)
        if self._page is not None:
            write_text(Path(self._page), as_html(done))
        return as_content(done)


class _Union(Mattes):
    """The union of several objects' mattes."""

    def __init__(self, mattes: Sequence[Mattes]) -> None:
        self._mattes = mattes

    def __len__(self) -> int:
        return min(map(len, self._mattes))

    def __getitem__(self, index: int) -> Matte:
        return np.asarray(np.maximum.reduce([mattes[index] for mattes in self._mattes]))

    def box(self, index: int) -> Box | None:
        return bounding_box(self[index])
