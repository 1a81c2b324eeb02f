"""Who serves which need: the best total within demand and capacity, without conflicts of interest.

See docs/methods/allocate.md for the formulas and docs/decisions/0003-exact-assignment.md for the choice of solver.
"""

from silian.engines.allocate.assigning import Allocation, assign, loads
from silian.engines.allocate.clashes import clashes, relax, worded
from silian.engines.allocate.interests import ConflictRules, conflicts
from silian.engines.allocate.rules import Rules

__all__ = ["Allocation", "ConflictRules", "Rules", "assign", "clashes", "conflicts", "loads", "relax", "worded"]
