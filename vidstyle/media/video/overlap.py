"""Encoding while frames are computed, and how many frames may wait before and after."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor

from vidstyle.media.frame import Frame
from vidstyle.media.video.clip import ClipInfo, ClipWriter

#: Bytes of frames that may wait on either side.
_WAITING = 2**29


def queue_depth(info: ClipInfo, batch: int) -> int:
    """How many frames may wait on either side: two batches, or fewer large frames, since sixteen in
    8K would take 1.6 GiB; at least two."""
    return max(2, min(2 * batch, _WAITING // info.frame_bytes))


class WriteBehind(ClipWriter):
    """A writer that encodes in another thread, up to ``depth`` frames behind.

    Errors of the writer are raised by a later ``write``, at the latest by ``commit``, which then
    leaves no output, like the writer itself.
    """

    def __init__(self, writer: ClipWriter, depth: int) -> None:
        self._writer = writer
        self._depth = depth
        self._waiting: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="write-behind")

    def write(self, frame: Frame) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`; waits while ``depth`` are queued."""
        while len(self._waiting) >= self._depth:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(self._writer.write, frame))

    def commit(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        try:
            while self._waiting:
                self._waiting.popleft().result()
            self._pool.shutdown()
            self._writer.commit()
        except BaseException:
            self.abort()
            raise

    def abort(self) -> None:
        """See :class:`~vidstyle.media.video.clip.ClipWriter`."""
        self._pool.shutdown(cancel_futures=True)
        self._writer.abort()
