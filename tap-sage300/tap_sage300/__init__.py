"""Singer tap for the Sage 300 Web API."""
