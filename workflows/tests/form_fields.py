"""What a browser would send: the fields of a form in a page."""

from __future__ import annotations

from html.parser import HTMLParser


class _Forms(HTMLParser):
    """Collects every form's fields as a browser without JavaScript fills them."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._select: list[tuple[str, bool]] | None = None
        self._name = ""
        self._text: list[str] | None = None

    def _add(self, name: str, value: str) -> None:
        if self.forms and name:
            self.forms[-1].setdefault(name, []).append(value)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Inputs, choices and texts."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        elif tag == "input":
            box = found.get("type") in ("checkbox", "radio")
            if not box or "checked" in found:
                self._add(found.get("name", ""), found.get("value", ""))
        elif tag == "select":
            self._name, self._select = found.get("name", ""), []
        elif tag == "option" and self._select is not None:
            self._select.append((found.get("value", ""), "selected" in found))
        elif tag == "textarea":
            self._name, self._text = found.get("name", ""), []

    def handle_data(self, data: str) -> None:
        """Inside a text."""
        if self._text is not None:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """The chosen option, or the first; a text without its first line end."""
        if tag == "select" and self._select is not None:
            chosen = [value for value, selected in self._select if selected]
            if self._select:
                self._add(self._name, chosen[-1] if chosen else self._select[0][0])
            self._select = None
        elif tag == "textarea" and self._text is not None:
            self._add(self._name, "".join(self._text).removeprefix("\n"))
            self._text = None


def cards_of(html: str) -> dict[str, dict[str, list[str]]]:
    """The forms of the designer's cards by the name of the card."""
    reader = _Forms()
    reader.feed(html)
    return {form["card"][0]: form for form in reader.forms if "card" in form}
