"""From an object prompt to a matte for every frame: find, segment, track.

A matte is a numpy array (H, W) of ``uint8``: 255 inside the object, 0 outside, and in between at
soft edges. Pictures are numpy arrays (H, W, 3), RGB, ``uint8``.
"""
