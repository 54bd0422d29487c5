"""An edit that cannot be done."""

from __future__ import annotations


class EditRefusedError(Exception):
    """The message says why, in words for who edits."""
