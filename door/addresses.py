"""Routes for pages that are opened directly, from a bookmark or by reloading.

Streamlit's script first assumes that such an address is the app's base address and looks for its
server there, and only then one level above. So two requests fail, and the browser's console shows
two errors. These routes answer with Streamlit's own page, and add the base address to it.
"""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

_PAGES = Path(__file__).parents[1] / "pages"
# Relative to the address in the browser, which a proxy may have put under a path of its own.
_BEGINS = "<script>window.__streamlit = {BACKEND_BASE_URL: new URL('.', location).href}</script>"


def addresses(index: Path, base: str = "") -> list[Route]:
    """Return a route for each page except the first one, under the path `base`.

    `index` is Streamlit's own page.
    """

    async def page(_: Request) -> Response:
        html = index.read_text().replace("<head>", f"<head>{_BEGINS}", 1)
        return HTMLResponse(html, headers={"Cache-Control": "no-cache"})

    names = sorted(path.stem for path in _PAGES.glob("*.py") if path.stem != "home")
    base = base.strip("/")
    return [Route(f"/{base}/{name}" if base else f"/{name}", page) for name in names]
