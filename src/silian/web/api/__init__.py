"""The API: the registry and its runs for machines, under the same rules as the pages."""
