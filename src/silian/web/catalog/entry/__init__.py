"""Records as people type them: forms from the schema, drafts, conflicts, codes checked while they are typed."""
