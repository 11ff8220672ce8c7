"""`python -m scripts.sandbox`."""

import sys

from scripts.sandbox.config import Config
from scripts.sandbox.server import serve

if __name__ == "__main__":
    try:
        config = Config.from_env()
    except (KeyError, ValueError, TypeError, OSError) as error:
        sys.exit(f"WeChat sandbox: {type(error).__name__}: {error}")
    try:
        serve(config)
    except OSError as error:
        sys.exit(f"WeChat sandbox: port {config.port} cannot be used: {error}")
