"""What every target needs."""
