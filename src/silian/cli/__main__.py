"""`python -m silian.cli` is `silian`."""

from silian.cli import main

if __name__ == "__main__":
    main()
