"""Painted keys: from frames that somebody painted to a painting of every frame of their shot."""
