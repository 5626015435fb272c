"""Products and their stock."""

from __future__ import annotations

from tap_sagex3.streams.resource import Resource

RESOURCES = (
    Resource("item_categories", "ITMCATEG", ("STOFCY", "TCLCOD"), "productCategory", "x3MasterData"),
    Resource("items", "ITMMASTER", ("ITMREF",), "product", "x3MasterData"),
    Resource(
        "item_sites", "ITMFACILIT", ("ITMREF", "STOFCY"), "productSite", "x3MasterData", named_by="ITMREF"
    ),
    Resource("stock", "STOCK", ("STOFCY", "STOCOU"), "stock", "x3StockData", measures=("QTYSTU",)),
    Resource(
        "stock_movements",
        "STOJOU",
        ("STOFCY", "UPDCOD", "ITMREF", "IPTDAT", "MVTSEQ", "MVTIND"),
        "stockJournal",
        "x3StockData",
        period="IPTDAT",
        measures=("QTYSTU", "AMTVAL"),
    ),
)
