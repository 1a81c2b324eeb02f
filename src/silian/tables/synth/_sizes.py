"""How large a synthetic region is."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from silian.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Size:
    """Counts of a region, and how its products are spread."""

    name: str
    needs: int
    achievements: int
    experts: int
    works_per_expert: float
    enterprises: int
    universities: int
    institutes: int
    hospitals: int
    societies: int
    platforms: int
    investors: int
    districts: int
    products: int  # about; the graph is written by hand, its kinds are added up to this number
    answers_max: int  # most achievements of level 3 and 4 for one need
    fields: tuple[str, ...] = ()  # empty: all; the chain of the first is drawn

    @property
    def is_tiny(self) -> bool:
        """Whether the region is to be followed by hand: everything hangs together, nothing is left to chance."""
        return self.name == "tiny"


SIZES: Final = MappingProxyType(
    {
        size.name: size
        for size in (
            Size("tiny", 12, 30, 15, 3.0, 14, 2, 1, 0, 1, 1, 1, 3, 25, 4, ("battery", "machine_tool", "food")),
            Size("county", 200, 2_000, 300, 8.0, 600, 3, 8, 3, 10, 6, 6, 4, 420, 12),
            Size("city", 2_000, 20_000, 3_000, 8.3, 5_000, 10, 60, 16, 60, 40, 40, 8, 1_500, 15),
            Size("province", 10_000, 100_000, 15_000, 8.3, 30_000, 60, 300, 90, 300, 200, 200, 40, 5_000, 15),
        )
    }
)


def size_named(name: str) -> Size:
    """The size of that name.

    Raises
    ------
    ArgumentError : synth.size if there is none.
    """
    if name not in SIZES:
        raise ArgumentError("synth.size", found=repr(name), wanted=", ".join(SIZES))
    return SIZES[name]
