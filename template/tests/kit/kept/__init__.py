"""Values of one type in a table or a collection of their own, a module a kind of database."""
