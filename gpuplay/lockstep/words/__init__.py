"""What a GPU function may say, beside plain Python."""
