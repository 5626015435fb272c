"""What a run says of itself: one summary a minute while it reads, and a closing table."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence

    from ml_connector.extract.shared import Outcome

SUMMARY_SECONDS = 60.0
_LONGEST = 200


class Progress:
    """Counts rows by stream, and says once a minute how many there are."""

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._said = time.monotonic()

    def count(self, stream: str, rows: int, logger: logging.Logger) -> None:
        """Count rows of a stream."""
        self._rows[stream] = self._rows.get(stream, 0) + rows
        if time.monotonic() - self._said >= SUMMARY_SECONDS:
            self._said = time.monotonic()
            logger.info(
                "Reading %s: %s records of it so far, %s in all.",
                stream,
                f"{self._rows[stream]:,}",
                f"{sum(self._rows.values()):,}",
            )


def closing_lines(outcomes: Sequence[Outcome], seconds: float) -> tuple[list[str], bool]:
    """What is said at the end of a run.

    Args:
        outcomes: What came of each kind of document and company.
        seconds: How long it took.

    Returns:
        The lines, and whether the run has failed.
    """
    records = sum(each.records for each in outcomes)
    failed = [each for each in outcomes if each.failed]
    skipped = [each for each in outcomes if each.skipped]
    companies = {each.company for each in outcomes}
    empty = sorted(
        company for company in companies if all(each.skipped for each in outcomes if each.company == company)
    )
    read = len(outcomes) - len(failed) - len(skipped)
    lines = []
    if failed:
        rows = [("stream", "company", "records", "pages", "watermark", "what failed")]
        rows += [
            (each.stream, each.company, str(each.records), str(each.pages), each.watermark, _told(each))
            for each in failed
        ]
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
        lines += [
            "  ".join([*(value.ljust(width) for value, width in zip(row, widths, strict=False)), row[-1]])
            for row in rows
        ]
    lines += [
        f"Nothing in {company} can be read: every stream was skipped. Check its name, the address (base_url)"
        " and that the services of this company run."
        for company in empty
    ]
    lines.append(
        f"{counted(records, 'record')} of {counted(read, 'kind')} of documents read in {seconds:.0f} s"
        + (f"; {len(skipped)} skipped" if skipped else "")
        + (f"; {len(failed)} failed" if failed else "")
        + "."
    )
    return lines, bool(failed or empty)


def counted(number: int, noun: str) -> str:
    """A number and what it counts: `1 page`, `2,000 pages`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _told(outcome: Outcome) -> str:
    first = outcome.failed[0]
    text = first if len(first) <= _LONGEST else f"{first[:_LONGEST]}…"
    return text if len(outcome.failed) == 1 else f"{text} (and {len(outcome.failed) - 1} more)"
