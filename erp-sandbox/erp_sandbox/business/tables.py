"""The business's own tables, neutral of any ERP.

Money and quantities are ``EXACTTEXT``: decimal text in the file, ``decimal.Decimal`` in Python. Dates are ISO
text. ``ledger`` (or ``side``) is ``AP`` for what is bought and ``AR`` for what is sold,
so that both halves of
the business share one set of tables and one way of posting.
"""

from __future__ import annotations

from typing import Final

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS documents (
  id INTEGER PRIMARY KEY, company TEXT NOT NULL, entity_set TEXT NOT NULL, sort_key TEXT NOT NULL,
  doc TEXT NOT NULL, UNIQUE (company, entity_set, sort_key));
CREATE TABLE IF NOT EXISTS biz_touched (
  company TEXT, kind TEXT, key TEXT, PRIMARY KEY (company, kind, key)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS biz_companies (
  company TEXT PRIMARY KEY, name TEXT, currency TEXT, country TEXT, scale EXACTTEXT);
CREATE TABLE IF NOT EXISTS biz_counters (company TEXT, name TEXT, value INTEGER, PRIMARY KEY (company, name));
CREATE TABLE IF NOT EXISTS biz_accounts (
  company TEXT, account TEXT, description TEXT, kind TEXT, grp TEXT, segment TEXT, department TEXT,
  created TEXT, control TEXT, PRIMARY KEY (company, account));
CREATE TABLE IF NOT EXISTS biz_rates (
  company TEXT, currency TEXT, day TEXT, rate EXACTTEXT, PRIMARY KEY (company, currency, day));
CREATE TABLE IF NOT EXISTS biz_parties (
  company TEXT, ledger TEXT, id TEXT, name TEXT, grp TEXT, currency TEXT, terms TEXT, address TEXT, city TEXT,
  state TEXT, zip TEXT, country TEXT, contact TEXT, phone TEXT, email TEXT, website TEXT,
  credit_limit EXACTTEXT, status TEXT, on_hold INTEGER, start TEXT, maintained TEXT, activity TEXT,
  salesperson TEXT, region TEXT, balance EXACTTEXT, functional_balance EXACTTEXT, open_count INTEGER,
  paid_count INTEGER, last_invoice TEXT, last_invoice_amount EXACTTEXT, last_payment TEXT,
  last_payment_amount EXACTTEXT, last_credit TEXT, largest_number TEXT, largest_amount EXACTTEXT,
  largest_date TEXT, PRIMARY KEY (company, ledger, id));
CREATE TABLE IF NOT EXISTS biz_places (
  company TEXT, ledger TEXT, party TEXT, id TEXT, name TEXT, city TEXT, country TEXT, maintained TEXT,
  PRIMARY KEY (company, ledger, party, id));
CREATE TABLE IF NOT EXISTS biz_items (
  company TEXT, id TEXT, description TEXT, category TEXT, uom TEXT, cost EXACTTEXT, price EXACTTEXT,
  weight EXACTTEXT, active INTEGER, maintained TEXT, on_hand EXACTTEXT, on_po EXACTTEXT, on_so EXACTTEXT,
  vendor TEXT, colour TEXT, PRIMARY KEY (company, id));
CREATE TABLE IF NOT EXISTS biz_orders (
  company TEXT, side TEXT, seq INTEGER, number TEXT, party TEXT, day TEXT, expected TEXT, currency TEXT,
  rate EXACTTEXT, status TEXT, location TEXT, description TEXT, net EXACTTEXT, tax EXACTTEXT,
  total EXACTTEXT, last_posting TEXT, lines INTEGER, PRIMARY KEY (company, side, seq));
CREATE TABLE IF NOT EXISTS biz_order_lines (
  company TEXT, side TEXT, seq INTEGER, line INTEGER, item TEXT, description TEXT, category TEXT, uom TEXT,
  location TEXT, quantity EXACTTEXT, done EXACTTEXT, price EXACTTEXT, cost EXACTTEXT, amount EXACTTEXT,
  PRIMARY KEY (company, side, seq, line));
CREATE TABLE IF NOT EXISTS biz_deliveries (
  company TEXT, side TEXT, seq INTEGER, number TEXT, order_seq INTEGER, order_number TEXT, party TEXT,
  day TEXT,
  currency TEXT, rate EXACTTEXT, location TEXT, net EXACTTEXT, tax EXACTTEXT, total EXACTTEXT, cost EXACTTEXT,
  invoice TEXT, description TEXT, PRIMARY KEY (company, side, seq));
CREATE TABLE IF NOT EXISTS biz_delivery_lines (
  company TEXT, side TEXT, seq INTEGER, line INTEGER, item TEXT, description TEXT, category TEXT, uom TEXT,
  location TEXT, quantity EXACTTEXT, price EXACTTEXT, cost EXACTTEXT, amount EXACTTEXT,
  PRIMARY KEY (company, side, seq, line));
CREATE TABLE IF NOT EXISTS biz_trade_notes (
  company TEXT, side TEXT, kind TEXT, seq INTEGER, number TEXT, party TEXT, day TEXT, invoice TEXT,
  currency TEXT,
  rate EXACTTEXT, item TEXT, description TEXT, uom TEXT, location TEXT, quantity EXACTTEXT, price EXACTTEXT,
  amount EXACTTEXT, tax EXACTTEXT, total EXACTTEXT, PRIMARY KEY (company, side, kind, seq));
CREATE TABLE IF NOT EXISTS biz_batches (
  company TEXT, ledger TEXT, kind TEXT, number INTEGER, day TEXT, edited TEXT, description TEXT, status TEXT,
  posting_sequence INTEGER, source TEXT, entries INTEGER, total EXACTTEXT,
  PRIMARY KEY (company, ledger, kind, number));
CREATE TABLE IF NOT EXISTS biz_invoices (
  company TEXT, ledger TEXT, batch INTEGER, entry INTEGER, party TEXT, number TEXT, kind TEXT, day TEXT,
  due TEXT,
  currency TEXT, rate EXACTTEXT, net EXACTTEXT, tax EXACTTEXT, total EXACTTEXT, functional EXACTTEXT,
  cost EXACTTEXT, open EXACTTEXT, open_functional EXACTTEXT, status TEXT, posted TEXT, activity TEXT,
  paid TEXT,
  order_number TEXT, delivery INTEGER, applied_to TEXT, description TEXT, posting_sequence INTEGER,
  PRIMARY KEY (company, ledger, batch, entry));
CREATE TABLE IF NOT EXISTS biz_invoice_lines (
  company TEXT, ledger TEXT, batch INTEGER, entry INTEGER, line INTEGER, account TEXT, description TEXT,
  item TEXT,
  uom TEXT, quantity EXACTTEXT, price EXACTTEXT, cost EXACTTEXT, amount EXACTTEXT, tax EXACTTEXT,
  PRIMARY KEY (company, ledger, batch, entry, line));
CREATE TABLE IF NOT EXISTS biz_payments (
  company TEXT, ledger TEXT, kind TEXT, batch INTEGER, entry INTEGER, bank TEXT, party TEXT, number TEXT,
  day TEXT,
  currency TEXT, rate EXACTTEXT, amount EXACTTEXT, functional EXACTTEXT, posted TEXT, cleared TEXT,
  reversed TEXT,
  posting_sequence INTEGER, serial INTEGER, description TEXT,
  PRIMARY KEY (company, ledger, kind, batch, entry));
CREATE TABLE IF NOT EXISTS biz_applied (
  company TEXT, ledger TEXT, kind TEXT, batch INTEGER, entry INTEGER, line INTEGER, number TEXT,
  amount EXACTTEXT, functional EXACTTEXT, discount EXACTTEXT,
  PRIMARY KEY (company, ledger, kind, batch, entry, line));
CREATE TABLE IF NOT EXISTS biz_miscellaneous (
  company TEXT, ledger TEXT, batch INTEGER, line INTEGER, number TEXT, serial INTEGER, day TEXT, name TEXT,
  description TEXT, account TEXT, amount EXACTTEXT, posted TEXT,
  PRIMARY KEY (company, ledger, batch, line));
CREATE TABLE IF NOT EXISTS biz_journals (
  company TEXT, batch INTEGER, entry INTEGER, ledger TEXT, type TEXT, day TEXT, year INTEGER, period INTEGER,
  description TEXT, reference TEXT, party TEXT, PRIMARY KEY (company, batch, entry));
CREATE TABLE IF NOT EXISTS biz_journal_lines (
  company TEXT, batch INTEGER, entry INTEGER, line INTEGER, account TEXT, amount EXACTTEXT, source EXACTTEXT,
  currency TEXT, rate EXACTTEXT, description TEXT, PRIMARY KEY (company, batch, entry, line));
CREATE TABLE IF NOT EXISTS biz_periods (
  company TEXT, account TEXT, year INTEGER, period INTEGER, net EXACTTEXT,
  PRIMARY KEY (company, account, year, period));
CREATE TABLE IF NOT EXISTS biz_moves (
  company TEXT, kind TEXT, seq INTEGER, number TEXT, day TEXT, item TEXT, description TEXT, uom TEXT,
  category TEXT, location TEXT, to_location TEXT, quantity EXACTTEXT, cost EXACTTEXT, party TEXT,
  PRIMARY KEY (company, kind, seq));
CREATE TABLE IF NOT EXISTS biz_bank_entries (
  company TEXT, seq INTEGER, number TEXT, bank TEXT, day TEXT, description TEXT, account TEXT,
  amount EXACTTEXT,
  PRIMARY KEY (company, seq));
CREATE TABLE IF NOT EXISTS biz_sales (
  company TEXT, party TEXT, item TEXT, year INTEGER, period INTEGER, quantity EXACTTEXT, amount EXACTTEXT,
  cost EXACTTEXT, count INTEGER, last_day TEXT, PRIMARY KEY (company, party, item, year, period));
CREATE TABLE IF NOT EXISTS biz_statistics (
  company TEXT, ledger TEXT, scope TEXT, id TEXT, year INTEGER, period INTEGER, invoices INTEGER,
  invoiced EXACTTEXT, credits INTEGER, credited EXACTTEXT, payments INTEGER, paid EXACTTEXT,
  PRIMARY KEY (company, ledger, scope, id, year, period));
CREATE INDEX IF NOT EXISTS biz_batches_status ON biz_batches (company, status);
CREATE INDEX IF NOT EXISTS biz_invoices_due ON biz_invoices (company, ledger, status, due);
CREATE INDEX IF NOT EXISTS biz_invoices_number ON biz_invoices (company, ledger, number);
CREATE INDEX IF NOT EXISTS biz_orders_status ON biz_orders (company, side, status, expected);
CREATE INDEX IF NOT EXISTS biz_deliveries_invoice ON biz_deliveries (company, side, invoice, day);
CREATE INDEX IF NOT EXISTS biz_payments_posted ON biz_payments (company, ledger, kind, posted);
CREATE INDEX IF NOT EXISTS biz_sales_period ON biz_sales (company, year, period);
CREATE INDEX IF NOT EXISTS biz_sales_item ON biz_sales (company, item);
"""
