"""The streams: one module of data for each Sage 300 application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_sage300.streams import ap, ar, bk, cs, gl, ic, mt, oe, po, tx

if TYPE_CHECKING:
    from tap_sage300.streams.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    *ap.RESOURCES,
    *ar.RESOURCES,
    *bk.RESOURCES,
    *cs.RESOURCES,
    *gl.RESOURCES,
    *ic.RESOURCES,
    *mt.RESOURCES,
    *oe.RESOURCES,
    *po.RESOURCES,
    *tx.RESOURCES,
)
"""Every entity set that the endpoint reference lists as readable."""
