"""Kubernetes objects read as strictly as its API server reads them: by the types of its own Python client."""

import re
from collections.abc import Iterator
from typing import Any

import kubernetes.client.models as models

Object = dict[str, Any]
_SCALARS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "object": (object,),
    "datetime": (str,),
}


def wrong(given: Object) -> list[str]:
    """What is wrong with an object: unknown fields, missing ones, values of another type. Empty when it is well."""
    version, kind = str(given["apiVersion"]), str(given["kind"])
    name = "".join(part.capitalize() for part in re.split(r"[/.]", version.partition("/")[2] or version))
    return list(_of_model(given, f"{name}{kind}", kind))


def _of_model(given: Any, model: str, where: str) -> Iterator[str]:
    if not isinstance(given, dict):
        yield f"{where}: not an object"
        return
    described = getattr(models, model)
    types = {described.attribute_map[field]: kind for field, kind in described.openapi_types.items()}
    for key, value in given.items():
        if key not in types:
            yield f"{where}.{key}: unknown"
        else:
            yield from _of_type(value, types[key], f"{where}.{key}")
    fields = {described.attribute_map[field]: field for field in described.openapi_types}
    try:
        # For fields that are needed and missing; what is there is looked at above.
        described(**{fields[key]: value for key, value in given.items() if key in fields})
    except ValueError as exc:
        yield f"{where}: {exc}"


def _of_type(value: Any, kind: str, where: str) -> Iterator[str]:
    if listed := re.fullmatch(r"List\[(.+)\]", kind):
        if not isinstance(value, list):
            yield f"{where}: not a list"
            return
        for number, each in enumerate(value):
            yield from _of_type(each, listed[1], f"{where}[{number}]")
    elif mapped := re.fullmatch(r"Dict\[str, (.+)\]", kind):
        if not isinstance(value, dict):
            yield f"{where}: not a mapping"
            return
        for key, each in value.items():
            yield from _of_type(each, mapped[1], f"{where}.{key}")
    elif kind in _SCALARS:
        if not isinstance(value, _SCALARS[kind]) or (isinstance(value, bool) and kind in ("int", "float")):
            yield f"{where}: {value!r} is no {kind}"
    else:
        yield from _of_model(value, kind, where)
