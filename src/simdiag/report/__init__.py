"""A diagnosis for people and for machines."""
