"""Words and vectors of Chinese and English texts."""

from silian.text.brackets import learn_terms
from silian.text.encoders import Encoder, encode_fields, encoder
from silian.text.places import PlacedWords, place_signs, place_words, sentences
from silian.text.space import WordSpace, idf_of, unit_rows
from silian.text.terms import Concept, Terms
from silian.text.words import Bags, grams, main_language, normalise, normalise_all, segment, stack, words

__all__ = [
    "Bags",
    "Concept",
    "Encoder",
    "PlacedWords",
    "Terms",
    "WordSpace",
    "encode_fields",
    "encoder",
    "grams",
    "idf_of",
    "learn_terms",
    "main_language",
    "normalise",
    "normalise_all",
    "place_signs",
    "place_words",
    "segment",
    "sentences",
    "stack",
    "unit_rows",
    "words",
]
