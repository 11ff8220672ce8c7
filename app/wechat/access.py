"""WeChat as the running application was set up to reach it.

The clients are made on first use and once per process: a worker that forks must not share its
parent's connections.
"""

import logging
import os
from dataclasses import dataclass

from flask import Flask, current_app

from app.settings import Settings
from app.wechat.mini_program import MiniProgram
from app.wechat.pay import Pay
from app.wechat.tokens import TokenStore


@dataclass(slots=True)
class WeChat:
    """The clients of one application, made when first asked for."""

    settings: Settings
    _mini_program: tuple[int, MiniProgram] | None = None
    _pay: tuple[int, Pay] | None = None

    def mini_program(self) -> MiniProgram:
        """Return this process's client of the mini-program API."""
        pid = os.getpid()
        if self._mini_program is None or self._mini_program[0] != pid:
            settings = self.settings
            store = TokenStore.open(settings.redis_url, app_id=settings.wechat_app_id)
            self._mini_program = (pid, MiniProgram(settings, store))
        return self._mini_program[1]

    def pay(self) -> Pay:
        """Return this process's client of WeChat Pay."""
        pid = os.getpid()
        if self._pay is None or self._pay[0] != pid:
            self._pay = (pid, Pay(self.settings))
        return self._pay[1]


def init_app(app: Flask, settings: Settings) -> None:
    """Give an application its WeChat. Nothing is loaded, fetched or connected yet.

    What the HTTP library logs below INFO holds secrets and tokens, so it is kept quiet.
    """
    logging.getLogger("urllib3").setLevel(logging.INFO)
    app.extensions["wechat"] = WeChat(settings)


def _wechat() -> WeChat:
    found: WeChat = current_app.extensions["wechat"]
    return found


def mini_program() -> MiniProgram:
    """Return the mini-program API of the current application."""
    return _wechat().mini_program()


def pay() -> Pay:
    """Return the WeChat Pay of the current application."""
    return _wechat().pay()
