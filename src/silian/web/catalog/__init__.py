"""The registry: what a region has, edited by people, with its history, imports and search."""
