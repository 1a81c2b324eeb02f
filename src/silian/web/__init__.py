"""The site: what people look at, change and remember."""
