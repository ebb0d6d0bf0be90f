"""What each rung of a ladder gains, and what changed in its source."""
