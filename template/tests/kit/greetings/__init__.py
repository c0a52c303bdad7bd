"""A feature without a database."""
