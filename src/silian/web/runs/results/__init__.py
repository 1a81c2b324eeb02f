"""What a run has found, on pages: matches, assignment, gaps of the chains, districts. They read what is stored."""
