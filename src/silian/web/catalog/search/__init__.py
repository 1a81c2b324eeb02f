"""The search: the index, questions to it, its pages, searches that people keep."""
