"""Records that may stand for one thing: found, warned of, reported, merged and parted again."""
