"""Standards out: what is public, as OAI-PMH, CERIF, schema.org, DCAT and EEN ask for it."""
