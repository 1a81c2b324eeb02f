"""Where work runs: blocks of a table in, blocks of a table out, the same rows on every runner."""

from silian.compute.runners import Runner, runner

__all__ = ["Runner", "runner"]
