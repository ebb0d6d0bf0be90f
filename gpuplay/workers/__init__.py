"""Worker processes: the tasks that they take, what sends them, a crew of them for each command."""
