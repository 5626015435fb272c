"""Contacts and their forms.

Contacts and the forms they receive.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Resource, day

RESOURCES = (
    Resource(
        stream="mt_contact_forms",
        address="MT/MTContactForms",
        key=("FormID",),
        stamps=(day("DateLastMaintained"),),
        evidence="inferred",
        selected=False,
    ),
    Resource(
        stream="mt_contacts",
        address="MT/MTContacts",
        key=("ContactID",),
        stamps=(day("DateLastMaintained"),),
        evidence="inferred",
    ),
)
"""Every readable entity set of contacts and their forms."""
