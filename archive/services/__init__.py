"""The verbs of the archive, a file a noun. Each takes a unit of work first."""
