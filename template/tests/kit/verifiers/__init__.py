"""How to get tokens, in a module named for who gives them.

It has ``with_tokens``, which yields settings that ask for tokens, and a token for each access.
"""
