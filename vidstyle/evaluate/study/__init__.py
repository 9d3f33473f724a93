"""Blind A/B studies: which of several results people prefer, and how sure that is."""
