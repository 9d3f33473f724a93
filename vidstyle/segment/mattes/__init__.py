"""Mattes of a clip: stored, given, derived, refined."""
