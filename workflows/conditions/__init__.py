"""Conditions: their shape, their three-valued evaluation, their words, and the same as SQL."""
