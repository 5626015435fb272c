"""The streams, in the order in which they are read: documents before their lines."""

from __future__ import annotations

from tap_sageintacct.streams import ap, ar, company, gl, orders
from tap_sageintacct.streams.resource import Resource

RESOURCES: tuple[Resource, ...] = (
    *company.RESOURCES,
    *ap.RESOURCES,
    *ar.RESOURCES,
    *orders.RESOURCES,
    *gl.RESOURCES,
)

__all__ = ["RESOURCES", "Resource"]
