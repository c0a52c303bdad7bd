"""Takes a newer version of the template into this project, or changes an answer.

``make update``, ``make switch``, ``make answer`` and ``make outdated`` run it in the project's
folder.
"""

from command import execute

if __name__ == "__main__":
    execute("updating")
