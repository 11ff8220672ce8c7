"""The sandbox put together: one process, one port, both of WeChat's APIs and a page for people."""

import logging
import signal
import threading
from types import FrameType

from flask import Flask
from werkzeug.serving import make_server

from scripts.sandbox.books import Books
from scripts.sandbox.calls import CallCounter
from scripts.sandbox.config import Config
from scripts.sandbox.control import Control
from scripts.sandbox.faults import Faults
from scripts.sandbox.mini_program_api import MiniProgramApi
from scripts.sandbox.notices import TIMEOUT_SECONDS, Postman
from scripts.sandbox.page import Page
from scripts.sandbox.pay_api import PayApi
from scripts.sandbox.phones import Phones
from scripts.sandbox.refunds import Refunds
from scripts.sandbox.rows import Terms
from scripts.sandbox.subscriptions import Subscriptions
from scripts.sandbox.texts import Texts
from scripts.sandbox.trades import Trades
from scripts.sandbox.transfers import Transfers


def create_sandbox(config: Config) -> tuple[Flask, Control]:
    """Return the application and the hands that move it."""
    opening = Terms(
        opening_fen=config.balance_fen,
        min_fen=config.transfer_min_fen,
        max_fen=config.transfer_max_fen,
        user_day_fen=config.transfer_user_day_fen,
        merchant_day_fen=config.transfer_merchant_day_fen,
    )
    books, faults, calls = Books(config.state_dir, opening), Faults(), CallCounter()
    phones, trades = Phones(config, books), Trades(config, books)
    refunds, transfers = Refunds(config, books), Transfers(config, books)
    texts, subscriptions = Texts(books, phones), Subscriptions(books)
    control = Control(
        config=config,
        books=books,
        faults=faults,
        calls=calls,
        postman=Postman(config, books, faults),
        phones=phones,
        trades=trades,
        refunds=refunds,
        transfers=transfers,
        subscriptions=subscriptions,
    )
    pay_api = PayApi(config, faults, calls, trades, refunds, transfers)
    app = Flask(__name__)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    app.register_blueprint(pay_api.blueprint())
    mini_program = MiniProgramApi(faults, calls, phones, texts, subscriptions)
    app.register_blueprint(mini_program.blueprint())
    app.register_blueprint(control.blueprint())
    app.register_blueprint(Page(books, phones, trades, transfers).blueprint())
    return app, control


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT."""
    app, control = create_sandbox(config)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server(config.host, config.port, app, threaded=True)
    stop = threading.Event()

    def shut_down(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, shut_down)
    signal.signal(signal.SIGINT, shut_down)
    postman = threading.Thread(
        target=control.postman.run, args=(control.let_time_work, stop), daemon=True
    )
    if not config.is_manual:
        postman.start()
    print(f"WeChat sandbox: http://{config.host}:{config.port}/sandbox/", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    if postman.is_alive():
        postman.join(TIMEOUT_SECONDS)
    control.books.close()
