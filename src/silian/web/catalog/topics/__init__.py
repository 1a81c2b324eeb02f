"""What experts work on, told from what is public of them."""
