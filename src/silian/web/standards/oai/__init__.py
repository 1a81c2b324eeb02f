"""OAI-PMH 2.0: what is public, harvested by other systems in Dublin Core and CERIF-XML."""
