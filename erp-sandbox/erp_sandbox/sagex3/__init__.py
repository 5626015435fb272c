"""A simulator of Sage X3: the api1 web services and the GraphQL of its Services, over one set of tables."""
