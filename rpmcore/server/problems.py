"""Errors as ``application/problem+json`` (RFC 9457): one shape for all, and never how it came about within."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import Send

from rpmcore.domain.decisions import RejectionException
from rpmcore.domain.errors import NotVerified, RpmError, Unavailable

PROBLEM_JSON = "application/problem+json"
RETRY_AFTER = "1"
"""Seconds after which to ask again what could not be answered."""

WORDS = {
    400: "The body is no JSON.",
    401: "A key is needed, or the one that was given is not known.",
    403: "The key has not the scope that is needed, or the request comes from another site.",
    404: "There is no such thing.",
    405: "The path knows no such method.",
    408: "The body took too long to arrive.",
    409: "It contradicts itself, what was taken before, or what the gate holds now; the last two are recorded.",
    413: "The body is too large.",
    415: "The body must be application/json.",
    421: "It was called by a name that is none of its own.",
    422: "The body, or a parameter, is not as described; `errors` says where.",
    500: "The service failed; its log says why.",
    503: "Nothing can be answered now: the queue is full, the service stops, or the gate has halted.",
}


class FieldProblem(BaseModel):
    """What is wrong with one field."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(description="Its path, such as `entry` or `prices.EURUSD`.")
    detail: str


class Problem(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="Always `about:blank`: the status says what kind it is.")
    title: str
    status: int
    detail: str = Field(description="What happened, and what to do about it.")
    errors: list[FieldProblem] | None = Field(None, description="Of 422: what is wrong, field by field.")


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def problem(
    status: int, detail: str, *, errors: list[dict[str, str]] | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Return the answer that tells a problem."""
    plain: dict[str, Any] = {
        "type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
    }  # fmt: skip
    if errors is not None:
        plain["errors"] = errors
    told = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        told.setdefault("Retry-After", RETRY_AFTER)
    return JSONResponse(plain, status, told, media_type=PROBLEM_JSON)


async def send_problem(send: Send, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
    """Answer with a problem where there is no route yet, by ASGI alone."""
    answer = problem(status, detail, headers=headers)
    await send({"type": "http.response.start", "status": status, "headers": answer.raw_headers})
    await send({"type": "http.response.body", "body": answer.body})


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of the problems that a path can answer with."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {s: {"description": WORDS[s], "content": {PROBLEM_JSON: {"schema": schema}}} for s in statuses}


async def on_error(_request: Request, error: Exception) -> Response:
    """Return the problem that an error stands for."""
    if isinstance(error, ProblemError):
        return problem(error.status, error.detail, headers=error.headers)
    if isinstance(error, RequestValidationError):
        found = [{"field": _path(each["loc"]), "detail": str(each["msg"])} for each in error.errors()]
        return problem(422, "; ".join(f"{f['field']}: {f['detail']}" for f in found[:5]), errors=found)
    if isinstance(error, HTTPException):
        return problem(error.status_code, WORDS.get(error.status_code, error.detail), headers=error.headers)
    if isinstance(error, Unavailable):
        return problem(503, str(error))
    if isinstance(error, NotVerified):
        return problem(500, str(error))
    if isinstance(error, RejectionException | RpmError):
        return problem(409, str(error))
    return problem(500, WORDS[500])


def _path(where: tuple[int | str, ...]) -> str:
    parts = [str(part) for part in where if part not in ("body", "query", "path", "header")]
    return ".".join(parts) or "body"


def as_json(plain: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer of plain values, as they are."""
    body = json.dumps(plain, allow_nan=False, separators=(",", ":"), ensure_ascii=False).encode()
    return Response(body, headers=dict(headers or {}), media_type="application/json")
