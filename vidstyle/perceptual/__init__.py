"""Frozen perceptual networks: features of pictures, and their statistics as style."""
