"""Where work runs: blocks of a table in, blocks of a table out."""
