"""Singer tap for the Sage Intacct XML Gateway."""
