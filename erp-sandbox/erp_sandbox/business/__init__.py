"""One generated business behind every simulator: documents that post balanced journals."""

from __future__ import annotations

from erp_sandbox.business.history import COMPANIES, BusinessError, add_erp, advance, create

__all__ = ["COMPANIES", "BusinessError", "add_erp", "advance", "create"]
