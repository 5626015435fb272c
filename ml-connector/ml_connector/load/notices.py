"""What a stream's log says of its records, once or a few times a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ml_connector.load.schema import Kind

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping, Sequence

    from ml_connector.load.decode import Rejection
    from ml_connector.load.schema import Column

_MOST = 5


class Notices:
    """The warnings of one stream.

    Args:
        stream: Its name.
        logger: Where they go.
    """

    def __init__(self, stream: str, logger: logging.Logger) -> None:
        self._stream = stream
        self._logger = logger
        self._unknown: set[str] = set()

    def floats(self, columns: Sequence[Column]) -> None:
        """Bare numbers become floats, which keep some 15 digits."""
        names = [column.name for column in columns if column.kind is Kind.DOUBLE]
        self._logger.warning(
            "Stream '%s' has numbers without a scale (%s): they become floating-point columns, which keep"
            " some 15 digits. For exact amounts set number_type, for example to decimal(38,9). Other"
            " streams may have such numbers too.",
            self._stream,
            ", ".join(names[:_MOST]),
        )

    def unknown_fields(self, counts: Mapping[str, int]) -> None:
        """Properties that the schema does not name have no column."""
        new = set(counts) - self._unknown
        if new:
            self._unknown |= new
            self._logger.warning(
                "Stream '%s' has properties that its schema does not name; they are not loaded: %s.",
                self._stream,
                ", ".join(sorted(new)),
            )

    def rejections(self, rejections: Sequence[Rejection], numbers: Sequence[int]) -> None:
        """Records that cannot be loaded go to DEAD_LETTERS."""
        for rejection in rejections[:_MOST]:
            self._logger.warning(
                "Stream '%s', line %d: %s (%s). The record goes to DEAD_LETTERS.",
                self._stream,
                numbers[rejection.line_number],
                rejection.message,
                rejection.path,
            )
        if (more := len(rejections) - _MOST) > 0:
            self._logger.warning("Stream '%s': %d more records go to DEAD_LETTERS.", self._stream, more)

    def spared_documents(self) -> None:
        """A line that was rejected is not lost, so the documents of its batch are not judged."""
        self._logger.warning(
            "Stream '%s': as lines were rejected, lines that the documents of this batch have lost are not"
            " marked before the documents are read again.",
            self._stream,
        )
