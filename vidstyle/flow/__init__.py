"""Optical flow: estimators behind one interface, warping, and where a flow can be trusted."""

from vidstyle.flow.build import build_flow
from vidstyle.flow.cache import FlowCache
from vidstyle.flow.dis import DisFlow
from vidstyle.flow.estimator import FlowEstimator, both_ways
from vidstyle.flow.occlusion import valid
from vidstyle.flow.warp import inside, warp

__all__ = [
    "DisFlow",
    "FlowCache",
    "FlowEstimator",
    "both_ways",
    "build_flow",
    "inside",
    "valid",
    "warp",
]
