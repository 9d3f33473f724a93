"""Carrying a matte from frame to frame."""
