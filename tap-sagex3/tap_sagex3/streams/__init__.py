"""The streams: one module of data for each area of Sage X3, and the two classes that read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_sagex3.streams import finance, masters, purchasing, sales, stock

if TYPE_CHECKING:
    from tap_sagex3.streams.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    *masters.RESOURCES,
    *stock.RESOURCES,
    *purchasing.RESOURCES,
    *sales.RESOURCES,
    *finance.RESOURCES,
)
"""Every stream of documents, each with the streams of its lines."""
