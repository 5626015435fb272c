"""What every ERP tap needs: settings, polite HTTP, page prefetch, lookback, an exact writer."""

from __future__ import annotations

from ml_connector.extract.documents import DocumentStream, LineStream, SharedRead
from ml_connector.extract.erp_stream import ErpStream
from ml_connector.extract.erp_tap import VERSIONS, ErpTap, Finding
from ml_connector.extract.http import (
    Clock,
    GaveUpError,
    HttpError,
    HttpSettings,
    PoliteSession,
    TryAgain,
    transient,
)
from ml_connector.extract.lookback import parse_lookback
from ml_connector.extract.outlets import Outlets
from ml_connector.extract.prefetch import prefetch
from ml_connector.extract.settings import common_settings
from ml_connector.extract.writer import ExactWriter

__all__ = [
    "VERSIONS",
    "Clock",
    "DocumentStream",
    "ErpStream",
    "ErpTap",
    "ExactWriter",
    "Finding",
    "GaveUpError",
    "HttpError",
    "HttpSettings",
    "LineStream",
    "Outlets",
    "PoliteSession",
    "SharedRead",
    "TryAgain",
    "common_settings",
    "parse_lookback",
    "prefetch",
    "transient",
]
