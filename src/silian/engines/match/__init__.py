"""Which achievements and experts fit a need, and why: words and vectors in one exact ranking."""

from silian.engines.match.conditions import Conditions
from silian.engines.match.index import Index, build, build_experts
from silian.engines.match.ranking import rank, rank_needs, score, why_not

__all__ = ["Conditions", "Index", "build", "build_experts", "rank", "rank_needs", "score", "why_not"]
