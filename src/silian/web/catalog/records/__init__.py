"""Records as people see them: lists, one record, what belongs to it, its life from draft to withdrawn."""
