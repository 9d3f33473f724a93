"""Painted keys: from a few painted keyframes to a painting of every frame of their shot."""
