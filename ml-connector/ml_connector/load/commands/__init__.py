"""What an operator does with the ledger: look, correct, replay, compare, check."""
