"""Cutting an object out of one picture."""
