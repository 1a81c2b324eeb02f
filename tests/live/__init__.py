"""A live site with people at work: what `make torture` and `make load` are made of."""
