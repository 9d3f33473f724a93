"""The teachers of :mod:`vidstyle.perceptual.teacher`, under the name that training uses."""

from vidstyle.perceptual.teacher import (
    LAYERS,
    TEACHERS,
    MicroTeacher,
    Teacher,
    VggTeacher,
    build_teacher,
)

__all__ = ["LAYERS", "TEACHERS", "MicroTeacher", "Teacher", "VggTeacher", "build_teacher"]
