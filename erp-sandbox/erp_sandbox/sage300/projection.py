"""Turns what was touched in the business into the Web API's documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from erp_sandbox.business.books import Books
from erp_sandbox.sage300 import (
    projection_codes,
    projection_ledger,
    projection_masters,
    projection_orders,
    projection_stock,
    projection_subledger,
)
from erp_sandbox.sage300.projection_shape import Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

#: What writes the documents of each kind of thing; called with the writer and the parts of the thing's key.
RENDERERS: Final[dict[str, Callable[..., None]]] = {
    "codes": projection_codes.codes,
    "account": projection_masters.account,
    "party": projection_masters.party,
    "place": projection_masters.place,
    "item": projection_masters.item,
    "rate": projection_codes.rate,
    "order": projection_orders.order,
    "delivery": projection_orders.delivery,
    "trade_invoice": projection_orders.invoice,
    "note": projection_orders.note,
    "invoice_batch": projection_subledger.invoice_batch,
    "payment_batch": projection_subledger.payment_batch,
    "miscellaneous_batch": projection_subledger.miscellaneous_batch,
    "refund_batch": projection_subledger.refund_batch,
    "posted_document": projection_subledger.posted_document,
    "posted_payment": projection_subledger.posted_payment,
    "gl_batch": projection_ledger.batch,
    "balance": projection_ledger.balance,
    "statistic": projection_ledger.statistic,
    "sale": projection_ledger.sale,
    "sales_period": projection_ledger.sales_period,
    "move": projection_stock.move,
    "bank_entry": projection_stock.bank_entry,
}


def project(connection: sqlite3.Connection) -> None:
    """Write the documents of everything touched since the last time, company by company.

    Args:
        connection: An open business; the caller commits.
    """
    companies = [row[0] for row in connection.execute("SELECT company FROM biz_companies ORDER BY company")]
    for company in companies:
        writer = Writer(Books(connection, company))
        # Ordered by kind and key, so that rows land in the order of the documents' index.
        for kind, key in connection.execute(
            "SELECT kind, key FROM biz_touched WHERE company = ? ORDER BY kind, key", (company,)
        ):
            RENDERERS[kind](writer, *key.split("|"))
    connection.execute("DELETE FROM biz_touched")
