"""`python -m consumers.payroll`: runs the reference payroll; `follow-new-log` tells it to follow a log that forked."""

import asyncio
import logging
import signal
import sys
from contextlib import suppress

from consumers.payroll.books import Books
from consumers.payroll.payroll import Payroll
from consumers.payroll.settings import Settings, WrongSetting, from_environment


async def run(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then end in order."""
    work = asyncio.create_task(Payroll(settings).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    with suppress(asyncio.CancelledError):
        await work


def follow_new_log(settings: Settings) -> None:
    books = Books(settings.database)
    with books.transaction():
        books.follow_new_log()
    books.close()


def main(arguments: list[str]) -> None:
    """Run payroll, or do what the one argument says."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("aiokafka").setLevel(logging.ERROR)
    try:
        settings = from_environment()
    except WrongSetting as wrong:
        sys.exit(str(wrong))
    match arguments:
        case []:
            asyncio.run(run(settings))
        case ["follow-new-log"]:
            follow_new_log(settings)
        case _:
            sys.exit("usage: python -m consumers.payroll [follow-new-log]")


if __name__ == "__main__":
    main(sys.argv[1:])
