"""How to get tokens, in a module named for who gives them.

It has ``authority``, which yields settings that ask for tokens, and a token for each access.
"""
