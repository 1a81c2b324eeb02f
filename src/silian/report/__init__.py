"""How results are shown: charts, sheets and one self-contained page."""
