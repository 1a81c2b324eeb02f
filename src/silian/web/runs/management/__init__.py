"""Commands of runs, and of the site as a whole."""
