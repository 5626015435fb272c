GENERATIONS = ("current", "older", "oldest")
