"""The application: routes, errors as problems, guards before all, and an OpenAPI that a client can be made from."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from starlette.exceptions import HTTPException

from rpmcore.domain.errors import RpmError
from rpmcore.server.guards import Guards, needed_scope
from rpmcore.server.problems import Problem, ProblemError, on_error
from rpmcore.server.routes import operators, orders, reads
from rpmcore.server.routes.pages import pages
from rpmcore.server.service import Service

DESCRIPTION = """The gate that every order passes. `POST /v1/decisions` answers whether a trade may be sent, recorded
before it is answered; `POST /v1/releases` marks that it is sent. Errors are `application/problem+json`."""


def application(service: Service) -> FastAPI:
    """Return the application of a service."""
    app = FastAPI(
        title="rpm",
        version=version("rpmcore"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.service = service
    for router in (orders.router, reads.router, operators.router, pages()):
        app.include_router(router)
    for kind in (ProblemError, RequestValidationError, HTTPException, RpmError, Exception):
        app.add_exception_handler(kind, on_error)
    app.add_middleware(Guards, settings=service.settings, keys=service.keys)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes,
        )  # fmt: skip
        parts = found.setdefault("components", {})
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        parts.setdefault("schemas", {}).update({**schema.pop("$defs", {}), "Problem": schema})
        parts["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer", "description": "An API key of rpm."}}
        for path, methods in found["paths"].items():
            for method, told in methods.items():
                scope = needed_scope(method.upper(), path)
                if scope is not None:
                    told["security"] = [{"key": []}]
                    told["description"] = f"{told.get('description', '')}\n\nNeeds the scope `{scope}`."
        app.openapi_schema = found
    return app.openapi_schema
