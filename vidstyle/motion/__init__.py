"""Motion: optical flow, where it can be trusted, and the temporal step."""
