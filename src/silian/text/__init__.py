"""Words and vectors of Chinese and English texts."""

from silian.text.encoders import Encoder, encoder
from silian.text.space import WordSpace, unit_rows
from silian.text.terms import Concept, Terms
from silian.text.words import Bags, Swaps, grams, main_language, normalise, normalise_all, segment, stack, words

__all__ = [
    "Bags",
    "Concept",
    "Encoder",
    "Swaps",
    "Terms",
    "WordSpace",
    "encoder",
    "grams",
    "main_language",
    "normalise",
    "normalise_all",
    "segment",
    "stack",
    "unit_rows",
    "words",
]
