"""Runtime shared by the taps and targets of ml-connector."""

from __future__ import annotations

__version__ = "0.1.0"
