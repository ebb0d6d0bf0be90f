"""What a sweep shows: ratios, ties, crossovers, the roofline, the verdict in words."""
