"""The tools: one file each, with what it asks the database and what it answers."""
