"""The exception tree, and the command line's exit code for each.

    VidstyleError
    ├── UsageError            2   an invalid option or combination of options
    ├── MediaError            3   a picture, clip or matte that is missing, unreadable or unusable
    ├── WeightsError          4   weights missing or corrupt
    ├── DeviceError           5   no such device, or out of memory
    ├── ObjectNotFoundError   6   nothing in the shot matches the prompt
    ├── QualityError          7   a result fails a quality threshold
    └── BatchError            8   some shots of a batch failed; the others are complete

    Cancelled               130   interrupted by the user
    └── Terminated          143   ended by SIGTERM

:class:`Cancelled` is not an :class:`Exception`: code that carries on after an error, such as a
batch or a library with a catch-all handler, must not carry on after an interrupt.

Exit code 0 is success, 1 a bug in vidstyle: any exception outside this tree.

Every message is one line that names the file or option, states the problem and suggests a fix.
"""

from typing import ClassVar


class VidstyleError(Exception):
    """Root of the tree; never raised directly."""

    exit_code: ClassVar[int] = 1


class UsageError(VidstyleError):
    """An invalid option, or combination of options."""

    exit_code = 2


class MediaError(VidstyleError):
    """A picture, clip or matte that is missing, unreadable or unusable."""

    exit_code = 3


class WeightsError(VidstyleError):
    """Weights that are missing or corrupt."""

    exit_code = 4


class DeviceError(VidstyleError):
    """A device that does not exist or has run out of memory."""

    exit_code = 5


class ObjectNotFoundError(VidstyleError):
    """Nothing in the shot matches the prompt."""

    exit_code = 6


class QualityError(VidstyleError):
    """A result fails a quality threshold, or could not be measured."""

    exit_code = 7


class BatchError(VidstyleError):
    """Some shots of a batch failed; the others are complete."""

    exit_code = 8


class Cancelled(BaseException):
    """The run was interrupted by the user (SIGINT)."""

    exit_code: ClassVar[int] = 130


class Terminated(Cancelled):
    """The run was ended by SIGTERM, as a farm sends it."""

    exit_code = 143
