"""The jobs on controls."""
