"""Which rows are one: organisations, experts; and which products the names that firms write mean.

See docs/methods/link.md for the rules and what they were measured at.
"""

from silian.engines.link.likely import LEAST_LIKELY, likely
from silian.engines.link.names import name_key
from silian.engines.link.people import people
from silian.engines.link.products import LEAST, ProductLinks, products
from silian.engines.link.same import same

__all__ = ["LEAST", "LEAST_LIKELY", "ProductLinks", "likely", "name_key", "people", "products", "same"]
