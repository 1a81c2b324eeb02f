"""Who serves which need: the best total within demand and capacity, without conflicts of interest.

See docs/methods/allocate.md for the formulas and docs/decisions/0003-exact-assignment.md for the choice of solver.
"""

from silian.engines.allocate.assigning import Allocation, assign, loads
from silian.engines.allocate.clashes import clashes, relax, worded
from silian.engines.allocate.curve import fairness_curve
from silian.engines.allocate.interests import ConflictRules, conflicts
from silian.engines.allocate.lottery import Lottery, lottery
from silian.engines.allocate.repairing import Edit, Repair, edit, repair
from silian.engines.allocate.rules import Rules
from silian.engines.allocate.serving import served
from silian.engines.allocate.standing import Standing, reopen
from silian.engines.allocate.why import why

__all__ = [
    "Allocation",
    "ConflictRules",
    "Edit",
    "Lottery",
    "Repair",
    "Rules",
    "Standing",
    "assign",
    "clashes",
    "conflicts",
    "edit",
    "fairness_curve",
    "loads",
    "lottery",
    "relax",
    "reopen",
    "repair",
    "served",
    "why",
    "worded",
]
