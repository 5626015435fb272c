"""Documents with lines that are read again and again: what a tap sends, and what the table must then hold."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st
from singer_messages import Stream

PROPERTIES = {
    "doc": {"type": "string"},
    "line": {"type": "integer"},
    "text": {"type": ["string", "null"]},
}
NAMES = ("A", "B", "C")
LINE_NUMBERS = range(1, 6)

NUMBERED = Stream("invoice_lines", PROPERTIES, ("doc", "line"), **{"x-document-key": ["doc"]})
"""A line's key is its document's and its number."""
MOVING = Stream("invoice_lines", PROPERTIES, ("line",), **{"x-document-key": ["doc"]})
"""A line has a key of its own, and may move to another document."""


@dataclass
class Books:
    """Documents as the source has them, and as the target has seen them.

    Attributes:
        now: The source's: by document, its lines (number to text) in their order.
        seen: The newest reading of each document.
        edited: Documents that were changed and not read since.
    """

    now: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)
    edited: set = field(default_factory=set)

    def rows(self):
        """What the table must hold."""
        return sorted((doc, line, text) for doc, lines in self.seen.items() for line, text in lines.items())


@dataclass
class Reading:
    """A document as it was read.

    Attributes:
        doc: Its name.
        lines: Its lines.
        gone: Lines that it lost and that the tap tells as deleted.
        at: When it was read.
    """

    doc: str
    lines: dict
    gone: tuple = ()
    at: str = ""

    def messages(self, stream):
        records = [
            stream.record(doc=self.doc, line=line, text=text, at=self.at) for line, text in self.lines.items()
        ]
        return records + [
            stream.record(doc=self.doc, line=line, text=None, _sdc_deleted_at=self.at, at=self.at)
            for line in self.gone
        ]


lines = st.permutations(LINE_NUMBERS).flatmap(
    lambda order: st.integers(0, len(order)).map(lambda count: order[:count])
)
texts = st.sampled_from(["x", "y", "z"])


@st.composite
def edits(draw, books, *, moving):
    """Change some documents: lines added, changed, dropped, put in another order, moved, swapped."""
    for doc in draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True)):
        free = set(LINE_NUMBERS)
        if moving:
            free -= {line for other, has in books.now.items() if other != doc for line in has}
        chosen = [line for line in draw(lines) if line in free]
        if not chosen and doc not in books.now:
            continue
        before = books.now.get(doc, {})
        books.now[doc] = {
            line: before[line] if line in before and draw(st.booleans()) else draw(texts) for line in chosen
        }
        books.edited.add(doc)
    if moving and len(books.now) > 1 and draw(st.booleans()):
        _swap(draw, books)


def _swap(draw, books):
    """Have two documents change a line for another; both were changed, so both are read again."""
    one, other = draw(st.permutations(sorted(books.now)))[:2]
    mine, theirs = list(books.now[one]), list(books.now[other])
    if mine and theirs:
        given, taken = draw(st.sampled_from(mine)), draw(st.sampled_from(theirs))
        text, their_text = books.now[one].pop(given), books.now[other].pop(taken)
        books.now[one][taken], books.now[other][given] = their_text, text
        books.edited |= {one, other}


@st.composite
def run_of(draw, books, moment, *, moving):
    """Make the readings of one run.

    What was changed is read; some are read though nothing changed; some are changed while the run goes on and
    read a second time, maybe at once. Whatever was changed is read in the end, as a tap does.
    """
    readings = []
    draw(edits(books, moving=moving))
    for round_ in range(draw(st.integers(1, 2))):
        if round_:
            draw(edits(books, moving=moving))
        unchanged = draw(st.lists(st.sampled_from(sorted(books.now)), max_size=2)) if books.now else []
        order = draw(st.permutations([*sorted(books.edited), *unchanged]))
        for doc in order:
            has, before = dict(books.now[doc]), books.seen.get(doc, {})
            # one that is read twice in a row without a line in common looks like one reading
            told = not has or (readings and readings[-1].doc == doc and not set(has) & set(before))
            held = {line for other in books.now.values() for line in other} if moving else set(has)
            gone = tuple(line for line in before if line not in held) if told else ()
            readings.append(Reading(doc, has, gone, next(moment)))
            books.seen[doc] = has
        books.edited.clear()
    return readings


def moments():
    """Moments one after the other, a minute apart."""
    number = 0
    while True:
        yield f"2026-01-01T{number // 60:02d}:{number % 60:02d}:00Z"
        number += 1


@st.composite
def histories(draw, *, moving, most_runs=3):
    """Make several runs: the readings of each, and the rows that the table must hold after it."""
    books, moment = Books(), moments()
    found = []
    for _ in range(draw(st.integers(2, most_runs))):
        readings = draw(run_of(books, moment, moving=moving))
        found.append((readings, books.rows()))
    return found


def messages_of(readings, stream, states=()):
    """What a tap sends for some readings.

    Args:
        readings: The readings.
        stream: The stream.
        states: Places in the readings after which a state comes.
    """
    found = [stream.schema()]
    for place, reading in enumerate(readings):
        found += reading.messages(stream)
        if place in states:
            found.append(
                {"type": "STATE", "value": {"bookmarks": {stream.name: {"replication_key_value": place}}}}
            )
    return found
