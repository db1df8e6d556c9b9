"""The page and what it needs: files of the package, read once, so that no path reaches any other."""

from importlib import resources

from fastapi import APIRouter
from fastapi.responses import Response

from rpmcore.server.problems import ProblemError, documented

TYPES = {
    "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml", "png": "image/png", "ico": "image/x-icon", "json": "application/json",
    "woff2": "font/woff2",
}  # fmt: skip


def pages() -> APIRouter:
    """Return the routes of the page."""
    folder = resources.files("rpmcore") / "server" / "static"
    files = {
        each.name: (each.read_bytes(), TYPES[each.name.rpartition(".")[2]])
        for each in folder.iterdir()
        if each.name.rpartition(".")[2] in TYPES
    }
    router = APIRouter(include_in_schema=False)

    def _file(name: str) -> Response:
        if name not in files:
            raise ProblemError(404, "there is no such file")
        content, kind = files[name]
        return Response(content, media_type=kind, headers={"Cache-Control": "no-cache"})

    @router.get("/", responses=documented(404))
    async def index() -> Response:
        return _file("index.html")

    @router.get("/static/{name:path}", responses=documented(404))
    async def static(name: str) -> Response:
        return _file(name)

    return router
