"""What the tests leave alone."""

collect_ignore_glob = ["kill_*.py"]  # programs that a test starts and kills
