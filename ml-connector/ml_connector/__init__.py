"""Runtime shared by the taps and targets of ml-connector."""
