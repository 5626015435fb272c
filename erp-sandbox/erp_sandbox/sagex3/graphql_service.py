CURRENT = "current"


class GraphQLService:
    def __init__(self, *a, **k):
        pass
