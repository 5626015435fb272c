"""Names and texts as real books have them: accents, quotes, other scripts, long lines."""
# ruff: noqa: RUF001 - the signs that look alike are the point.

from __future__ import annotations

from typing import Final

FIRMS: Final = (
    "Northwind Chandlery", "O'Brien & Sons", "Müller Werkzeugbau GmbH", 'The "Best" Fasteners Co.',
    "Société Générale de Café",
    "Åkerlund Bygg AB", "株式会社サンプル商事", "Łódź Tekstylia Sp. z o.o.", "Al-Khalifa Trading W.L.L.",
    "Peña y Hermanos S.A.",
    "Bargain Mart - East Bay", "Ronald Black Lighting", "Chloride Systems", "Kruger Metals\\Tube",
    "Smith, Jones; Partners",
    "D'Angelo Imports", "Ægir Shipping", "Ürün Pazarlama A.Ş.", "Maple Leaf Electrics",
    "Pacific Rim Paper <Recycled>",
)  # fmt: skip
TAILS: Final = ("", " Ltd.", " Inc.", " Holdings", " (Pty) Ltd", " & Co.", " - Branch", " Intl.")
CITIES: Final = (
    ("Seattle", "WA", "98101", "United States"), ("Montréal", "QC", "H2Y 1C6", "Canada"),
    ("Köln", "", "50667", "Germany"),
    ("São Paulo", "SP", "01310-100", "Brazil"), ("Kuwait City", "", "13001", "Kuwait"),
    ("東京", "", "100-0001", "Japan"),
    ("Durban", "KZN", "4001", "South Africa"), ("Vancouver", "BC", "V6B 1A1", "Canada"),
    ("Austin", "TX", "73301", "United States"),
)  # fmt: skip
STREETS: Final = (
    "1200 Harbour Way",
    "45 O'Connell St.",
    "Straße des 17. Juni 135",
    "Suite #9, 3rd Floor",
    "8 rue de l'Église",
)
PEOPLE: Final = (
    "Zoë Brontë",
    "José Núñez",
    "Ann-Marie O'Neil",
    "Jürgen Groß",
    "李 小龍",
    "Siân Price",
    "Dmitri Ivanov",
)
GOODS: Final = (
    "Desk lamp, halogen", 'Pipe 3/4" galvanised', "Fluorescent tube 58W", "Café table Ø 80 cm",
    "Toner \\ black",
    "Bolt M8×40 (box of 100)", "Copper wire 2.5mm²", 'Office chair "Ergo"', "Käsereibe", "Battery pack 9V",
)  # fmt: skip
REMARKS: Final = (
    "Goods as ordered", "Per contract; see attached\tschedule", "Frais de transport & débours",
    "Month-end accrual – reversed on day 1",
    "Line one\nline two", "100% recycled; 5'6\" crates",
    "Reparatur gemäß Angebot Nr. 4711 vom 3. März, einschließlich An- und Abfahrt",
)  # fmt: skip
