"""Several encoders as one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from silian.text.encoders.base import bags_of, digest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from silian.text.encoders.base import Encoder
    from silian.text.words import Bags


@dataclass(frozen=True, slots=True)
class Together:
    """The vectors of several encoders side by side: the cosine is the mean of theirs.

    A text that one of them cannot read has a shorter row.
    """

    parts: tuple[Encoder, ...]

    @property
    def name(self) -> str:
        """The names of the parts with + between them."""
        return "+".join(part.name for part in self.parts)

    @property
    def digest(self) -> str:
        """Hash of the digests of the parts."""
        return digest_of(self.name, *(part.digest for part in self.parts))

    @property
    def share(self) -> float:
        """The largest of the parts."""
        return max(part.share for part in self.parts)

    @property
    def title_share(self) -> float | None:
        """That of the first part."""
        return self.parts[0].title_share

    def fit(self, corpus: Sequence[str | None] | Bags) -> Together:
        """Each part learns from the corpus."""
        bags = bags_of(corpus)
        return replace(self, parts=tuple(part.fit(bags) for part in self.parts))

    def encode(self, texts: Sequence[str | None] | Bags) -> np.ndarray:
        """Rows of the parts side by side, each scaled so that the whole has length 1."""
        bags = bags_of(texts)
        rows = np.concatenate([part.encode(bags) for part in self.parts], axis=1)
        return np.asarray(rows * np.float32(len(self.parts) ** -0.5), dtype=np.float32)
