"""How many records a run may reject."""

from __future__ import annotations

from ml_connector.load.errors import LoadError


class DeadLetterLimit:
    """The setting ``max_dead_letters``.

    Attributes:
        setting: As it was written: a count, or a percentage such as ``1%``; None for no limit.
    """

    _ENOUGH = 1_000

    def __init__(self, setting: str | int | None) -> None:
        """Read the setting.

        Raises:
            LoadError: If it is neither a count nor a percentage.
        """
        self.setting = None if setting is None or not str(setting).strip() else str(setting).strip()
        self._percent = self.setting is not None and self.setting.endswith("%")
        try:
            self._limit = float((self.setting or "0").removesuffix("%"))
        except ValueError:
            raise LoadError(
                f"Setting max_dead_letters is {setting!r}; write a count such as 100, or a share such as 1%."
            ) from None

    def passed(self, rejected: int, read: int, *, at_end: bool) -> bool:
        """Tell whether too much was rejected.

        Args:
            rejected: Records rejected so far.
            read: Records read so far.
            at_end: Whether the input is at its end. A percentage of the first few records says nothing, so
                before the end it is looked at from 1,000 records on.
        """
        if self.setting is None or not rejected:
            return False
        if not self._percent:
            return rejected > self._limit
        return (at_end or read >= self._ENOUGH) and rejected * 100 > read * self._limit
