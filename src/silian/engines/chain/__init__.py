"""What the industrial chains of a region lack, who could fill it, and what a change would do.

See docs/methods/chain.md for the formulas.
"""

from silian.engines.chain.backtesting import Backtest, backtest
from silian.engines.chain.cleaning import Cleaned, cleaned
from silian.engines.chain.complexity import Complexity, complexity, proximity
from silian.engines.chain.filling import NearWeights, fillers
from silian.engines.chain.forecasting import code_groups, forecast
from silian.engines.chain.gaps import Gaps, GapWeights, gaps
from silian.engines.chain.levels import Levels, levels
from silian.engines.chain.space import Space, space
from silian.engines.chain.what_if import WhatIf, what_if

__all__ = [
    "Backtest",
    "Cleaned",
    "Complexity",
    "GapWeights",
    "Gaps",
    "Levels",
    "NearWeights",
    "Space",
    "WhatIf",
    "backtest",
    "cleaned",
    "code_groups",
    "complexity",
    "fillers",
    "forecast",
    "gaps",
    "levels",
    "proximity",
    "space",
    "what_if",
]
