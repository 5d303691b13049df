"""What we add to Datasette: cells, the route of objects, the checks, our looks, and errors in one line."""

import logging
from collections.abc import Mapping
from typing import Any

from datasette.utils.asgi import Base400, Response
from datasette.views.base import DatasetteError
from markupsafe import Markup
from pluggy import HookimplMarker

from audiocrawler.browse.about import DATABASE
from audiocrawler.browse.cells import cell_of
from audiocrawler.browse.guard import App, guarded
from audiocrawler.browse.objects import Objects, Receive, Scope, Send
from audiocrawler.warehouse.views import VIEWS

logger = logging.getLogger(__name__)
hookimpl = HookimplMarker("datasette")
LOOKS = "looks"
HOME = f"/{DATABASE}/files"


class Plugin:
    """A plugin of Datasette; see https://docs.datasette.io/en/0.65/plugin_hooks.html."""

    __name__ = "audiocrawler"

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @hookimpl
    def render_cell(self, row: Any, value: Any, column: str) -> Markup | None:
        """Show waveforms, players, addresses and what has a unit."""
        names = row.keys() if hasattr(row, "keys") else ()
        return cell_of(column, value, {name: row[name] for name in names})

    @hookimpl
    def register_routes(self) -> list[tuple[str, Any]]:
        """Serve objects, and begin with the files."""
        objects = self._objects

        async def audio(scope: Scope, receive: Receive, send: Send) -> None:
            await objects.respond(scope, receive, send, scope["url_route"]["kwargs"]["sha256"])

        async def home() -> Response:
            return Response.redirect(HOME)

        return [(r"/-/audio/(?P<sha256>[0-9a-f]{64})$", audio), (r"/$", home)]

    @hookimpl
    def asgi_wrapper(self) -> Any:
        """Put the checks before everything."""

        def wrap(app: App) -> App:
            return guarded(app)

        return wrap

    @hookimpl
    def extra_css_urls(self) -> list[str]:
        """Add our style sheet."""
        return [f"/{LOOKS}/browse.css"]

    @hookimpl
    def extra_js_urls(self) -> list[Mapping[str, Any]]:
        """Add the player."""
        return [{"url": f"/{LOOKS}/browse.js", "module": True}]

    @hookimpl
    def extra_template_vars(self) -> Mapping[str, Any]:
        """Give the names of the views to the head of each page."""
        return {"our_views": list(VIEWS), "our_database": DATABASE}

    @hookimpl
    def handle_exception(self, datasette: Any, request: Any, exception: Exception) -> Any:
        """Show what is wrong with a request on its page; what is wrong with us is logged, too."""

        async def page() -> Response:
            status = getattr(exception, "status", 500)
            if not isinstance(exception, Base400 | DatasetteError):
                logger.error("%s could not be shown", request.path, exc_info=exception)
            shown = {"error": _message(exception), "status": status, "title": getattr(exception, "title", None)}
            if request.path.partition("?")[0].endswith(".json"):
                return Response.json({"ok": False, **shown}, status=status)
            return Response.html(await datasette.render_template("error.html", shown, request=request), status=status)

        return page


def _message(exception: Exception) -> str:
    if not isinstance(exception, DatasetteError):
        return str(exception)
    return Markup(exception.message) if exception.message_is_html else str(exception.message)  # noqa: S704 - its own
