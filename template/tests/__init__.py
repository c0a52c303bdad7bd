"""The service's tests, on a real database of their own."""
