"""What the writing of programs is made of."""
