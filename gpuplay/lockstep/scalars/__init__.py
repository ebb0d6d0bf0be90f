"""What one number does: operators, functions, bits. A closed room."""
