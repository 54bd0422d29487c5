"""The evidence of a leaver as PDF: any viewer shows it as it is, fonts inside."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF

from workflows.access.evidence_table import Line, evidence_lines

if TYPE_CHECKING:
    from workflows.access.evidence import Evidence

_FONTS = Path(__file__).parent / "fonts"
_LATIN, _BOLD, _EAST = "DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DroidSansFallback.ttf"
_MISSING = "\N{REPLACEMENT CHARACTER}"
_GREY, _INK = 100, 20
_LINE = 205
_WIDTHS = (42.0, 50.0, 30.0)


def evidence_pdf(evidence: Evidence, *, zone: str) -> bytes:
    """The document. Moments are shown in ``zone`` (IANA), which the document names."""
    lines = [_clean(line) for line in evidence_lines(evidence)]
    texts = "".join("".join(line.cells().values()) for line in lines)
    paper = _Paper(f"Evidence of leaving: {evidence.person}", zone, east=_needs_east(texts))
    paper.title(evidence.person.work_email)
    for section, rows in groupby(lines, key=lambda line: line.section):
        paper.section(section, list(rows))
    paper.lost(unshown("".join(_raw(evidence))))
    return bytes(paper.pdf.output())


def unshown(text: str) -> str:
    """The letters that none of our fonts has, each once."""
    known = _letters(_LATIN) | _letters(_EAST)
    return "".join(
        dict.fromkeys(one for one in text if one.isprintable() and ord(one) not in known)
    )


def _raw(evidence: Evidence) -> Iterable[str]:
    for line in evidence_lines(evidence):
        yield from line.cells().values()


@cache
def _letters(name: str) -> frozenset[int]:
    with TTFont(_FONTS / name, lazy=True) as font:
        return frozenset(font.getBestCmap())


def _needs_east(text: str) -> bool:
    latin, east = _letters(_LATIN), _letters(_EAST)
    return any(ord(one) not in latin and ord(one) in east for one in text)


def _shown(text: str) -> str:
    known = _letters(_LATIN) | _letters(_EAST)
    return "".join(
        one if ord(one) in known else (" " if one.isspace() else _MISSING) for one in text
    )


def _clean(line: Line) -> Line:
    return Line(
        section=_shown(line.section),
        what=_shown(line.what),
        at=line.at,
        state=_shown(line.state),
        detail=_shown(line.detail),
        proof=_shown(line.proof),
    )


class _Numbered(FPDF):
    """Says on each page which of how many it is."""

    def footer(self) -> None:
        """Called by the library at the end of each page."""
        self.set_y(-12)
        self.set_font("latin", "", 8)
        self.set_text_color(_GREY)
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")
        self.set_text_color(_INK)


class _Paper:
    """A4, one column of sections; each is a table of moments, things, states and proofs."""

    def __init__(self, title: str, zone: str, *, east: bool) -> None:
        self.zone = ZoneInfo(zone)
        self.name = _shown(title)
        pdf = _Numbered(format="A4")
        pdf.set_draw_color(_LINE)
        pdf.set_title(title)
        pdf.set_lang("en")
        pdf.set_margins(15, 15)
        pdf.set_auto_page_break(True, margin=15)
        pdf.add_font("latin", "", str(_FONTS / _LATIN))
        pdf.add_font("latin", "B", str(_FONTS / _BOLD))
        if east:
            # Read only where it is needed: it is large.
            pdf.add_font("east", "", str(_FONTS / _EAST))
            pdf.set_fallback_fonts(["east"], exact_match=False)
        pdf.add_page()
        self.pdf = pdf

    def title(self, address: str) -> None:
        """Who it is about."""
        self.pdf.set_font("latin", "B", 16)
        self._write(self.name, 8)
        self.pdf.set_font("latin", "", 9)
        self.pdf.set_text_color(_GREY)
        self._write(f"{_shown(address)} · times in {self.zone.key}", 5)
        self.pdf.ln(3)

    def section(self, name: str, rows: list[Line]) -> None:
        """A head line and a table."""
        self.pdf.set_text_color(_INK)
        self.pdf.set_font("latin", "B", 11)
        self.pdf.ln(2)
        self._write(name, 7)
        self.pdf.set_font("latin", "", 8)
        rest = self.pdf.epw - sum(_WIDTHS)
        with self.pdf.table(
            col_widths=(*_WIDTHS, rest),
            first_row_as_headings=False,
            borders_layout="HORIZONTAL_LINES",
            line_height=4.2,
            text_align="LEFT",
        ) as table:
            for line in rows:
                row = table.row()
                row.cell(self._moment(line))
                row.cell(line.what)
                row.cell(line.state)
                row.cell("\n".join(text for text in (line.detail, line.proof) if text))

    def lost(self, letters: str) -> None:
        """Which letters are missing, by their numbers: they cannot be shown here."""
        if not letters:
            return
        numbers = ", ".join(f"U+{ord(one):04X}" for one in letters[:60])
        more = f" and {len(letters) - 60} more" if len(letters) > 60 else ""
        self.pdf.ln(3)
        self.pdf.set_font("latin", "", 8)
        self._write(
            f"Letters that this document has no font for, shown as {_MISSING}: {numbers}{more}. "
            "They are whole on the page and in the CSV.",
            4.2,
        )

    def _write(self, text: str, height: float) -> None:
        self.pdf.multi_cell(0, height, text, new_x="LMARGIN", new_y="NEXT")

    def _moment(self, line: Line) -> str:
        if line.at is None:
            return ""
        if isinstance(line.at, datetime):
            return f"{line.at.astimezone(self.zone):%-d %b %Y, %H:%M:%S}"
        return f"{line.at:%-d %b %Y}"
