"""Silian (四链) joins a region's four chains: innovation, industry, capital and talent."""

__version__ = "0.1.0"
