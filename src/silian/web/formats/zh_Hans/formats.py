"""Numbers in Chinese: parted by thousands, as the statistics of the bureaus have them (GB/T 15835-2011)."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
