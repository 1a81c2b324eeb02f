"""The main job: a plan in, a finished run folder out; the only place where steps meet."""
