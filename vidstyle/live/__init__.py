"""``vidstyle live``: a camera or stream, restyled in real time."""
