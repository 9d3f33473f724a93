"""How far two mattes say the same."""

from vidstyle.segment.mattes.store import Matte


def agreement(a: Matte, b: Matte) -> float:
    """Intersection over union of two mattes (H, W), 0 to 1; 1 where both are empty."""
    one, other = a > 127, b > 127
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else 1.0
