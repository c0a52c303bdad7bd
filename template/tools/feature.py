"""Makes, changes or removes a feature of this project.

``make feature`` and ``make remove`` run it in the project's folder.
"""

from command import execute

if __name__ == "__main__":
    execute("features")
