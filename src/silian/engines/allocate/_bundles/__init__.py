"""Kernels of the fair assignment: the best bundle of each need at given prices, negotiated
places, and chains that mend what clashes.

A need takes a bundle: at most so many edges as it has room for, whose gains add up to its floor or more. With a price
on every column each need chooses for itself; what the prices and the bundles' worths add up to bounds every
allocation (Lagrange). Everything that is compared is int64, so floors are kept exactly.
"""

from __future__ import annotations

from silian.engines.allocate._bundles.bundles import NONE, choose, limits
from silian.engines.allocate._bundles.chains import fill, mend
from silian.engines.allocate._bundles.market import Market, market_of
from silian.engines.allocate._bundles.negotiation import negotiate

__all__ = ["NONE", "Market", "choose", "fill", "limits", "market_of", "mend", "negotiate"]
