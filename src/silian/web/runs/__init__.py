"""Runs of the engines on the registry, their results, and the dashboards that read them."""
