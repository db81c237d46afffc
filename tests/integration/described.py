"""The description of the API, docs/openapi.yaml, and answers that are held against it: by daemon.py, each one of each test."""
import re

import yaml

from support import ROOT

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")
DESCRIPTION = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
TYPES = {"string": str, "boolean": bool, "integer": int, "number": (int, float), "array": list, "object": dict}


class Mismatch(AssertionError):
    pass


def resolve(node):
    while "$ref" in node:
        path = node["$ref"].removeprefix("#/").split("/")
        node = DESCRIPTION
        for part in path:
            node = node[part]
    return node


def check(value, schema, where):
    """The parts of JSON Schema that the description uses; a key that an object has and its schema does not is a mismatch too."""
    schema = resolve(schema)
    if value is None and schema.get("nullable"):
        return
    kind = schema["type"]
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise Mismatch(f"{where}: {value!r} is no {kind}")
    if "enum" in schema and value not in schema["enum"]:
        raise Mismatch(f"{where}: {value!r} is not one of {schema['enum']}")
    if kind == "array":
        for i, item in enumerate(value):
            check(item, schema["items"], f"{where}[{i}]")
    if kind == "object" and "properties" in schema:
        missing = set(schema.get("required", ())) - set(value)
        unknown = set(value) - set(schema["properties"])
        if missing or unknown:
            raise Mismatch(f"{where}: missing {sorted(missing)}, not described {sorted(unknown)}")
        for key, item in value.items():
            check(item, schema["properties"][key], f"{where}.{key}")


def template_of(path):
    path = re.sub(r"^/dashboard/[^/]+$", "/dashboard/{name}", path.partition("?")[0])
    return re.sub(r"/(artifacts|rooms)/\d+$", r"/\1/{number}", re.sub(r"/campaigns/\d+(?=/|$)", "/campaigns/{campaign}", path))


def hold(method, path, answer):
    """An answer has to be as described; what the API does not have, which a test may ask for, has no description. Returns the path as described."""
    template = template_of(path)
    operation = DESCRIPTION["paths"].get(template, {}).get(method.lower())
    if operation is None:
        if answer.status not in (400, 403, 404, 405, 408, 413, 431, 501, 503) and method != "HEAD":
            raise Mismatch(f"{method} {path} is not described, and answered with {answer}")
        return None
    where = f"{method} {path} {answer.status}"
    if str(answer.status) not in operation["responses"]:
        raise Mismatch(f"{where} is not described: {answer}")
    response = resolve(operation["responses"][str(answer.status)])
    media = (answer.headers["Content-Type"] or "").partition(";")[0]
    if media not in response["content"]:
        raise Mismatch(f"{where}: {media} is not one of {sorted(response['content'])}")
    if media == "application/json":
        check(answer.json, response["content"][media]["schema"], where)
    for name in response.get("headers", {}):
        if name not in answer.headers:
            raise Mismatch(f"{where}: no header {name}")
    return template


def hold_event(name, data):
    """The same for an event of a campaign."""
    schemas = DESCRIPTION["components"]["schemas"]
    if name == "progress":
        check(data, schemas["Live"], "event progress")
    elif name == "series":
        check(data, schemas["Series"], "event series")
    elif name == "skipped":
        check(data, schemas["Skipped"], "event skipped")
    elif name == "ended" and not isinstance(data.get("report"), str):
        check(data, schemas["Report"], "event ended")
