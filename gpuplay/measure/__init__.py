"""What workers do with cells: build, verify, time, step, explain and inspect them, and probe the machine's roofs."""
