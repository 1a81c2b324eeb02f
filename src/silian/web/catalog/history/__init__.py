"""What became of records: changes in words, differences, where each value comes from, putting back."""
