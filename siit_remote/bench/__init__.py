"""Measurements against the bare limit or a named peer, as ratios in one run: ``make bench``."""
