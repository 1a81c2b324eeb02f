"""Which rows of organisations are one body, which rows of experts one person: codes first, then names.

See docs/methods/link.md for the rules and what they were measured at.
"""

from silian.engines.link.names import name_key
from silian.engines.link.people import people
from silian.engines.link.same import same

__all__ = ["name_key", "people", "same"]
