"""What a region's data is: the schema of its nouns, reading, checking, the template and the synthetic region."""
