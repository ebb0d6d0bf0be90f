"""Typed functions become programs."""
