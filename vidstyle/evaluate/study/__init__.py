"""Blind A/B studies: which of several results people prefer, and with what confidence."""
