"""How pictures move: optical flow, what of it can be trusted, and the temporal step."""
