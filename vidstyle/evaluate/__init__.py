"""Temporal stability and sharpness of results, by reproducible measures."""
