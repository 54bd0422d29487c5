"""How much work a template may make: counted, not timed, so that the answer is always the same.

Code is bounded in length, loops by how much stands inside them, filters by the size of what they
take and give. What a single call could blow up (``replace``, ``join``, a range made into a list) is
reckoned beforehand.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any

from liquid.exceptions import ResourceLimitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_VALUE = 20_000
"""Characters of any text on its way through filters."""
MAX_ITEMS = 1_000
WORK = 150_000
"""Characters (a call counts twenty, an item ten) that all filters of one rendering may look at."""
VISITS = 6_000
"""Tags and outputs that one rendering may come by, loops multiplied out."""
MAX_CODE = 6_000
"""Characters between braces; the words around them may be as long as the text may be."""
MOST_LOOPS, FEWEST_LOOPS = 1_000, 5
_CODE = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_CALL, _ITEM = 20, 10
_work: ContextVar[list[int] | None] = ContextVar("work_of_a_template", default=None)


def loops_allowed(source: str) -> int:
    """Iterations of a loop (nested ones multiplied) in a template of this size: a round number.

    Few limits, because each is an environment of its own that is kept.
    """
    nodes = max(1, source.count("{{") + source.count("{%") + source.count("\n") // 4)
    allowed = VISITS // nodes
    return next((step for step in (MOST_LOOPS, 300, 100, 30, 10) if step <= allowed), FEWEST_LOOPS)


def code_judge(source: str) -> None:
    """Raises ``LiquidError`` for a template with more code than anybody writes by hand."""
    if sum(map(len, _CODE.findall(source))) > MAX_CODE:
        raise ResourceLimitError(
            f"there are more than {MAX_CODE} characters of placeholders", token=None
        )


@contextmanager
def work_counted() -> Iterator[None]:
    """Around one rendering."""
    token = _work.set([WORK])
    try:
        yield
    finally:
        _work.reset(token)


def _spend(amount: int) -> None:
    left = _work.get()
    if left is None:
        return
    left[0] -= amount
    if left[0] < 0:
        raise ResourceLimitError("the template makes too much work", token=None)


def _judge(value: object) -> int:
    """The size of one value. Raises where it is larger than any value may be."""
    if isinstance(value, str):
        if len(value) > MAX_VALUE:
            raise ResourceLimitError(f"a text is longer than {MAX_VALUE} characters", token=None)
        return len(value)
    range_judge(value)
    if isinstance(value, list | tuple | range | dict):
        if len(value) > MAX_ITEMS:
            raise ResourceLimitError(f"a list has more than {MAX_ITEMS} items", token=None)
        inside = (
            0
            if isinstance(value, range)
            else sum(len(item) for item in value if isinstance(item, str))
        )
        return inside + _ITEM * len(value)
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 256:
        raise ResourceLimitError("a number has too many digits", token=None)
    return 0


def range_judge(value: object) -> None:
    """Raises for a range longer than any list may be, without counting it."""
    if isinstance(value, range) and value.stop - value.start > MAX_ITEMS:
        raise ResourceLimitError(f"a list has more than {MAX_ITEMS} items", token=None)


def _foreseen(name: str, value: object, args: tuple[Any, ...]) -> int:
    """The size of what a filter is going to make, for those that can multiply."""
    if name in ("replace", "replace_first", "replace_last") and isinstance(value, str) and args:
        old, new = str(args[0]), str(args[1]) if len(args) > 1 else ""
        times = (value.count(old) if old else len(value) + 1) if name == "replace" else 1
        return len(value) + times * len(new)
    if name == "join" and isinstance(value, list | tuple | range):
        return _judge(value) + len(value) * (len(str(args[0])) if args else 1)
    return 0


def _guarded(name: str, function: Callable[..., object]) -> Callable[..., object]:
    @wraps(function)
    def call(value: object, *args: Any, **kwargs: Any) -> object:
        _spend(_CALL + _judge(value) + sum(_judge(one) for one in args))
        if _foreseen(name, value, args) > MAX_VALUE:
            raise ResourceLimitError(f"a text is longer than {MAX_VALUE} characters", token=None)
        made = function(value, *args, **kwargs)
        _judge(made)
        return made

    return call


def filters_guarded(filters: dict[str, Any]) -> dict[str, Any]:
    """The same filters, each within the limits."""
    return {name: _guarded(name, function) for name, function in filters.items()}
