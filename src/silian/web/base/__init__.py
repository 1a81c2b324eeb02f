"""People, where they belong, what they may do, the log of what they did, the frame of a page."""
