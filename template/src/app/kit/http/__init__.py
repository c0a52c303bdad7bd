"""What the HTTP side of any feature needs."""
