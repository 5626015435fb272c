"""SQL texts as pure functions of columns and names."""
