"""Several processes that share a port."""

from typing import Any

from uvicorn import Config
from uvicorn.supervisors import Multiprocess


class Workers(Multiprocess):
    """Workers whose port closes as they stop, and not when the last request is done.

    Until then, clients would still be let in, wait, and get no answer.
    """

    def terminate_all(self) -> None:
        for listener in self.sockets:
            listener.close()
        super().terminate_all()


def run(**options: Any) -> None:
    """Run the server with uvicorn's options, in more than one process."""
    config = Config(**options)
    Workers(config, [config.bind_socket()]).run()
