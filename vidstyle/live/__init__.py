"""``vidstyle live``: a camera or stream, restyled as it comes."""
