"""Singer tap for Sage X3: the REST web services (api1) and GraphQL, one set of streams."""
