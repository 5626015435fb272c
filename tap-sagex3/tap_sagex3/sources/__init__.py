"""The two APIs of Sage X3: one source a folder."""
