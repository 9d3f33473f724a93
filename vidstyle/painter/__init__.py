"""Painting keys: one frame's object, painted slowly and well after a style picture."""
