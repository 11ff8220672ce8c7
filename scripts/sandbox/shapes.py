"""Checking the JSON of a request to Pay v3 against what its document allows."""

from typing import Any

from scripts.sandbox.wording import find_null, param_error

Shape = dict[str, type | tuple[type, ...]]


def check(body: Any, *, required: Shape, optional: Shape, where: str = "") -> dict[str, Any]:
    """Return the object if it has all it needs and nothing it may not have.

    WeChat refuses members it has not documented, and a null is such a member.
    """
    if not isinstance(body, dict):
        raise param_error(f"{where or '请求'}不是JSON对象")
    null = find_null(body)
    if null:
        raise param_error(f"请求中含有未在API文档中定义的参数: {where}{null}")
    for name, kind in required.items():
        if name not in body:
            raise param_error(f"输入源“{where}/{name}”缺失")
        _check_type(body[name], kind, f"{where}/{name}")
    for name, value in body.items():
        if name in required:
            continue
        if name not in optional:
            raise param_error(f"请求中含有未在API文档中定义的参数: {where}/{name}")
        _check_type(value, optional[name], f"{where}/{name}")
    return body


def _check_type(value: Any, kind: type | tuple[type, ...], where: str) -> None:
    if isinstance(value, bool) and kind is not bool:
        raise param_error(f"输入源“{where}”类型错误")
    if not isinstance(value, kind):
        raise param_error(f"输入源“{where}”类型错误")


def check_length(value: str, minimum: int, maximum: int, name: str) -> None:
    """Refuse a text that is too short or too long, counted in characters."""
    if not minimum <= len(value) <= maximum:
        raise param_error(f"输入源“/{name}”长度应为{minimum}到{maximum}")


def check_notify_url(url: str) -> None:
    """Refuse a callback address with a query; https is demanded except on this machine."""
    is_local = url.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
    if not (url.startswith("https://") or is_local) or "?" in url:
        raise param_error("输入源“/notify_url”不合法")
