"""How a request or a socket gets through the router."""
