"""What the counters of the lockstep machine say: findings, patterns, their wording."""
