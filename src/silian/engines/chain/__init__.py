"""Breaks and blanks of the industrial chains, and who could fill them.

See docs/methods/chain.md for the formulas.
"""

from silian.engines.chain.filling import NearWeights, fillers
from silian.engines.chain.gaps import Gaps, GapWeights, gaps

__all__ = ["GapWeights", "Gaps", "NearWeights", "fillers", "gaps"]
