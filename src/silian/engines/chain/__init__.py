"""Breaks and blanks of the industrial chains, and who could fill them.

See docs/methods/chain.md for the formulas.
"""

from silian.engines.chain.cleaning import Cleaned, cleaned
from silian.engines.chain.complexity import Complexity, complexity, proximity
from silian.engines.chain.filling import NearWeights, fillers
from silian.engines.chain.gaps import Gaps, GapWeights, gaps
from silian.engines.chain.levels import Levels, levels

__all__ = [
    "Cleaned",
    "Complexity",
    "GapWeights",
    "Gaps",
    "Levels",
    "NearWeights",
    "cleaned",
    "complexity",
    "fillers",
    "gaps",
    "levels",
    "proximity",
]
