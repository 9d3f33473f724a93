"""Weights: which exist, where they are stored, and how they are fetched."""
