"""Teams for joint challenges: cover the skills at the least cost of people, distance and missing history.

See docs/methods/team.md for the formulas.
"""

from silian.engines.team.case import TeamWeights
from silian.engines.team.forming import Teams, form
from silian.engines.team.searching import Stage

__all__ = ["Stage", "TeamWeights", "Teams", "form"]
