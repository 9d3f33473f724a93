"""The exception tree, and the exit code that the command line gives each.

    VidstyleError
    ├── UsageError            2   an invalid option or combination of options
    ├── MediaError            3   a picture, clip or matte that is missing, unreadable or unusable
    ├── WeightsError          4   weights missing or corrupt
    ├── DeviceError           5   no such device, or out of memory
    ├── ObjectNotFoundError   6   nothing in the shot answers to the prompt
    ├── QualityError          7   a result is worse than the threshold that was set for it
    └── BatchError            8   some shots of a batch failed; the others are there

    Cancelled               130   interrupted by the user
    └── Terminated          143   ended by SIGTERM

:class:`Cancelled` is no :class:`Exception`: what goes on after an error, as the other shots of a
batch do, or a library that catches whatever it meets, must not go on after an interrupt.

Exit code 0 is success, 1 a bug in vidstyle: any exception outside this tree.

Every message is one line that names the file or option, says what is wrong and what to do.
"""

from typing import ClassVar


class VidstyleError(Exception):
    """Root of the tree; never raised itself."""

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
    """A device that is not there, or that has run out of memory."""

    exit_code = 5


class ObjectNotFoundError(VidstyleError):
    """Nothing in the shot answers to the prompt."""

    exit_code = 6


class QualityError(VidstyleError):
    """A result is worse than the threshold that was set for it, or could not be measured."""

    exit_code = 7


class BatchError(VidstyleError):
    """Some shots of a batch failed; the others are there."""

    exit_code = 8


class Cancelled(BaseException):
    """The run was interrupted by the user (SIGINT)."""

    exit_code: ClassVar[int] = 130


class Terminated(Cancelled):
    """The farm's SIGTERM."""

    exit_code = 143
