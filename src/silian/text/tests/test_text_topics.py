"""Phrases of texts; what becomes of them on the site stands in web/catalog/tests."""

import numpy as np

from silian.text.topics import count_phrases, find_phrases, weigh
from silian.text.words import Bags


def cut(*texts):
    """Texts whose cuts are given, as the dictionary may make them at different places."""
    vocabulary = tuple(sorted({word for text in texts for word in text}))
    order = np.array([vocabulary.index(word) for text in texts for word in text], np.int64)
    return Bags(tuple("".join(text) for text in texts), vocabulary, None, order, np.cumsum([len(t) for t in texts]))


def test_phrases_that_are_cut_differently_and_read_alike_are_one():
    found = find_phrases(cut(["固态", "电池组"], ["固态电池", "组"], ["固态电池组"]))

    assert len(set(found.names)) == len(found.names)
    one = found.names.index("固态电池组")
    assert found.text[found.phrase == one].tolist() == [0, 1, 2]
    assert (found.words[one] >= 0).sum() == 1


def test_nobody_has_a_topic_twice():
    texts = [["固态", "电池组"], ["固态电池", "组"]] * 3
    bags = cut(*texts, *[["轴承", "钢"]] * 60)
    phrases = find_phrases(bags)
    told = weigh(phrases, [0] * 6 + [1] * 60, count_phrases(phrases, len(bags)), len(bags), most=10)

    names = [name for name, _weight, _texts in told[0]]
    assert "固态电池组" in names
    assert len(set(names)) == len(names)
