"""The service over HTTP: D-Wave's solver API, version 3, as its client speaks it."""

import asyncio
import hashlib
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from annealnn.standin._faults import Fault, On
from annealnn.standin._parameters import RefusedError
from annealnn.standin._service import Job, StandIn

_ROOT = "/sapi/v2"
# of a scope's extensions: a function that drops the connection without a word
_ABORT = "annealnn.abort"
_MEDIA_TYPE = "application/vnd.dwave.sapi.{}+json; version=3.0.0"
_MOST_IDS, _LONGEST_POLL_S = 1000, 60.0

_Handler = Callable[[StandIn, Request], Awaitable[Response]]


def build_app(standin: StandIn, closing: asyncio.Event) -> Starlette:
    """Return the ASGI application; once `closing` is set, long polls answer at once."""

    def guarded(handler: _Handler, on: On | None) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            if request.headers.get("x-auth-token") != standin.token:
                return _refusal(RefusedError(401, "Invalid token or access denied"))
            request.state.closing = closing
            fault = standin.faults.strike(on) if on is not None else None
            if fault is not None and not fault.accepted and (early := await _struck(fault, request)):
                return early
            try:
                response = await handler(standin, request)
            except RefusedError as error:
                response = _refusal(error)
            if fault is None:
                return response
            return (fault.accepted and await _struck(fault, request)) or _spoilt(fault, response)

        return answer

    def route(path: str, handler: _Handler, on: On | None, method: str = "GET") -> Route:
        return Route(path, guarded(handler, on), methods=[method])

    return Starlette(
        routes=[
            route(f"{_ROOT}/solvers/remote/", _list_solvers, "connect"),
            route(f"{_ROOT}/solvers/remote/{{name:path}}", _get_solver, "connect"),
            route(f"{_ROOT}/problems/", _submit, "submit", "POST"),
            route(f"{_ROOT}/problems/", _list_problems, "poll"),
            route(f"{_ROOT}/problems/", _cancel_many, "cancel", "DELETE"),
            route(f"{_ROOT}/problems/{{id}}/answer", _get_answer, "answer"),
            route(f"{_ROOT}/problems/{{id}}/info", _get_info, "answer"),
            route(f"{_ROOT}/problems/{{id}}/messages", _get_messages, "answer"),
            # the client's loader ends the path with a slash, its api.Problems does not
            route(f"{_ROOT}/problems/{{id}}/", _get_problem, "answer"),
            route(f"{_ROOT}/problems/{{id}}", _get_problem, "answer"),
            route(f"{_ROOT}/problems/{{id}}", _cancel, "cancel", "DELETE"),
            route("/standin/stats", _statistics, None),
            route("/standin/kill-qubits", _kill_qubits, None, "POST"),
        ]
    )


async def _struck(fault: Fault, request: Request) -> Response | None:
    """Let a fault befall a request before it is handled, or after in place of its reply; None if it goes on."""
    if fault.what == "slow":
        with suppress(TimeoutError):
            await asyncio.wait_for(request.state.closing.wait(), fault.delay_s)
    elif fault.what == "status":
        if fault.plain:
            return Response(fault.text, status_code=fault.status, media_type="text/plain")
        return _refusal(RefusedError(fault.status, fault.text))
    elif fault.what == "drop":
        request.scope["extensions"][_ABORT]()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        # the server has seen that nobody is there, and sends nothing
        return Response()
    return None


def _spoilt(fault: Fault, response: Response) -> Response:
    """Return what a fault makes of a reply."""
    kind = response.headers["content-type"]
    if fault.what == "media-type":
        response.headers["content-type"] = "application/json"
    elif fault.what == "no-media-type":
        del response.headers["content-type"]
    elif fault.what == "version":
        response.headers["content-type"] = kind.replace("3.0.0", "2.0.0")
    elif fault.what == "not-json":
        headers = {"content-type": kind, "cache-control": "no-store"}
        return Response(b"<html>no JSON</html>", status_code=response.status_code, headers=headers)
    elif fault.what == "deprecated":
        response.headers["x-deprecation"] = (
            '"simulated";context="solver";message="This solver is deprecated.";sunset=@1893456000'
        )
    return response


def droppable(application: Any, transport: Any) -> Any:
    """Return the application of one connection, told how to drop it: asyncio's `transport`."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"] = {_ABORT: transport.abort}
        await application(scope, receive, send)

    return answer


def _reply(kind: str, content: Any) -> Response:
    """Return a response of the solver API's media type `kind`."""
    return Response(
        orjson.dumps(content), headers={"content-type": _MEDIA_TYPE.format(kind), "cache-control": "no-store"}
    )


def _refusal(error: RefusedError) -> Response:
    content = {"error_code": error.code, "error_msg": error.message}
    return Response(orjson.dumps(content), status_code=error.code, media_type="application/json")


async def _list_solvers(standin: StandIn, request: Request) -> Response:
    return _definition(standin, request, "solver-definition-list", lambda one: [one])


async def _get_solver(standin: StandIn, request: Request) -> Response:
    asked, chip = request.path_params["name"].rstrip("/"), standin.chip
    if asked not in (chip.name, f"{chip.name};graph_id={chip.graph_id}"):
        raise RefusedError(404, f"Solver {asked!r} does not exist; this service has {chip.name!r}")
    return _definition(standin, request, "solver-definition", lambda one: one)


def _definition(standin: StandIn, request: Request, kind: str, wrapped: Callable[[Any], Any]) -> Response:
    """Return the solver's definition, filtered; or 304 if the client has it."""
    chip = standin.chip
    fields = {
        "identity": chip.identity,
        "status": "ONLINE",
        "description": "A SIMULATED processor: no reads of it come from a quantum device",
        "properties": chip.properties,
        "avg_load": 0.0,
    }
    response = _reply(kind, wrapped(_filtered(fields, request.query_params.get("filter", "all"))))
    response.headers["etag"] = f'W/"{hashlib.sha256(response.body).hexdigest()[:20]}"'
    if standin.max_age_s is not None:
        response.headers["cache-control"] = f"max-age={standin.max_age_s}"
    if request.headers.get("if-none-match") == response.headers["etag"]:
        kept = {name: response.headers[name] for name in ("etag", "cache-control", "content-type")}
        return Response(status_code=304, headers=kept)
    return response


def _filtered(fields: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """Return what a filter such as "all,-status" or "none,+identity,+properties.h_range" leaves of `fields`."""
    base, *changes = [part.strip() for part in wanted.split(",")]
    if base not in ("all", "none") or not all(change[:1] in ("+", "-") for change in changes):
        msg = f"filter is 'all' or 'none', then +field and -field; got {wanted!r}"
        raise RefusedError(400, msg)
    left = dict(fields) if base == "all" else {}
    for change in changes:
        name, _, inner = change[1:].partition(".")
        if name not in fields or (inner and inner not in fields[name]):
            continue
        if change[0] == "+":
            left[name] = {**left.get(name, {}), inner: fields[name][inner]} if inner else fields[name]
        elif inner:
            left[name] = {key: value for key, value in left.get(name, {}).items() if key != inner}
        else:
            left.pop(name, None)
    return left


async def _submit(standin: StandIn, request: Request) -> Response:
    bodies = await _json_body(request)
    accepted: list[Job | dict[str, Any]] = []
    for body in bodies if isinstance(bodies, list) else [bodies]:
        try:
            accepted.append(standin.submit(body))
        except RefusedError as error:
            accepted.append({"error_code": error.code, "error_msg": error.message})
    if standin.inline:
        for job in accepted:
            if isinstance(job, Job):
                await _wait_for_one(request, [job], None)
    said = [one.described(with_answer=standin.inline) if isinstance(one, Job) else one for one in accepted]
    return _reply("problems", said if isinstance(bodies, list) else said[0])


async def _list_problems(standin: StandIn, request: Request) -> Response:
    asked = request.query_params
    if "id" in asked:
        ids = asked["id"].split(",")
        if len(ids) > _MOST_IDS:
            raise RefusedError(400, f"At most {_MOST_IDS} ids may be asked for at once; got {len(ids)}")
        jobs = [standin.job(one) for one in ids]
        await _wait_for_one(request, jobs, _timeout(request))
    else:
        jobs = standin.jobs()
    for name, of in (("label", "label"), ("status", "status"), ("solver", "solver_name")):
        if name in asked:
            jobs = [job for job in jobs if getattr(job, of) == asked[name]]
    most = _number(request, "max_results", len(jobs))
    return _reply("problems", [job.described() for job in jobs[: int(most)]])


async def _get_problem(standin: StandIn, request: Request) -> Response:
    job = standin.job(request.path_params["id"])
    await _wait_for_one(request, [job], _timeout(request))
    return _reply("problem", job.described(with_answer=True))


async def _get_answer(standin: StandIn, request: Request) -> Response:
    job = standin.job(request.path_params["id"])
    if job.answer is None:
        raise RefusedError(404, f"Problem {job.id} has no answer: {job.status}")
    return _reply("problem-answer", {"answer": orjson.Fragment(job.answer)})


async def _get_info(standin: StandIn, request: Request) -> Response:
    job = standin.job(request.path_params["id"])
    if job.body is None:
        raise RefusedError(404, f"Problem {job.id} is too old: its data was given up")
    said = job.described()
    metadata = {"submitted_by": "SIMULATED", "messages": [], **said}
    info: dict[str, Any] = {"id": metadata.pop("id"), **job.body, "metadata": metadata}
    if job.answer is not None:
        info["answer"] = orjson.Fragment(job.answer)
    return _reply("problem-data", info)


async def _get_messages(standin: StandIn, request: Request) -> Response:
    standin.job(request.path_params["id"])
    return _reply("problem-message", [])


async def _cancel(standin: StandIn, request: Request) -> Response:
    return _reply("problem", standin.cancel(request.path_params["id"]).described())


async def _cancel_many(standin: StandIn, request: Request) -> Response:
    said: list[dict[str, Any]] = []
    ids = await _json_body(request)
    if not isinstance(ids, list):
        raise RefusedError(400, "A list of problem ids is cancelled")
    for one in ids:
        try:
            said.append(standin.cancel(str(one)).described())
        except RefusedError as error:
            said.append({"error_code": error.code, "error_msg": error.message})
    return _reply("problems", said)


async def _statistics(standin: StandIn, _request: Request) -> Response:
    return Response(orjson.dumps(standin.statistics()), media_type="application/json")


async def _kill_qubits(standin: StandIn, request: Request) -> Response:
    asked = await _json_body(request)
    try:
        dead = standin.kill_qubits(**asked)
    except (TypeError, ValueError) as error:
        raise RefusedError(400, str(error)) from None
    content = {"dead": dead, "identity": standin.chip.identity}
    return Response(orjson.dumps(content), media_type="application/json")


async def _json_body(request: Request) -> Any:
    raw = await request.body()
    try:
        if request.headers.get("content-encoding") == "deflate":
            raw = zlib.decompress(raw)
        return orjson.loads(raw)
    except (zlib.error, orjson.JSONDecodeError) as error:
        raise RefusedError(400, f"The body is JSON, deflated if Content-Encoding says so: {error}") from None


def _number(request: Request, name: str, default: float) -> float:
    try:
        return max(0.0, float(request.query_params.get(name, default)))
    except ValueError:
        raise RefusedError(400, f"{name} is a number; got {request.query_params[name]!r}") from None


def _timeout(request: Request) -> float:
    return min(_number(request, "timeout", 0.0), _LONGEST_POLL_S)


async def _wait_for_one(request: Request, jobs: list[Job], timeout: float | None) -> None:
    """Wait until one of `jobs` is finished, for `timeout` seconds or however long, or until the service closes."""
    if timeout == 0 or not jobs or any(job.finished.done() for job in jobs):
        return
    loop, finished = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: object) -> None:
        # the loop may be closed by then
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(finished.set)

    for job in jobs:
        job.finished.add_done_callback(tell)
    waits = [asyncio.ensure_future(event.wait()) for event in (finished, request.state.closing)]
    await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for one in waits:
        one.cancel()
