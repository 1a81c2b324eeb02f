"""Which achievements and experts fit a need, and why: words and vectors in one exact ranking."""

from silian.engines.match.conditions import Conditions, holders
from silian.engines.match.explain import Explanation, explain
from silian.engines.match.exposure import Exposure, exposure, gini
from silian.engines.match.feedback import feedback_labels, reorder, tighten
from silian.engines.match.grading import Grader, Quality, grade, grade_examples, learn
from silian.engines.match.growth import Growth, changes, expert_changes, extend, extend_experts, growth, shorten
from silian.engines.match.index import Index, build, build_experts, fit_encoder
from silian.engines.match.ranking import rank, rank_needs, score, why_not
from silian.engines.match.whereabouts import kilometres, locate

__all__ = [
    "Conditions",
    "Explanation",
    "Exposure",
    "Grader",
    "Growth",
    "Index",
    "Quality",
    "build",
    "build_experts",
    "changes",
    "expert_changes",
    "explain",
    "exposure",
    "extend",
    "extend_experts",
    "feedback_labels",
    "fit_encoder",
    "gini",
    "grade",
    "grade_examples",
    "growth",
    "holders",
    "kilometres",
    "learn",
    "locate",
    "rank",
    "rank_needs",
    "reorder",
    "score",
    "shorten",
    "tighten",
    "why_not",
]
