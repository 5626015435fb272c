"""Contacts and their forms.

Contacts and the forms they receive.
"""

from __future__ import annotations

from tap_sage300.streams.resource import Resource

RESOURCES = (
    Resource(
        "mt_contact_forms",
        "MT",
        "MTContactForms",
        key=("FormID",),
        replication_key="DateLastMaintained",
        selected=False,
    ),
    Resource(
        "mt_contacts",
        "MT",
        "MTContacts",
        key=("ContactID",),
        replication_key="DateLastMaintained",
    ),
)
"""Every readable entity set of contacts and their forms."""
