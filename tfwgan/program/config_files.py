"""Files of settings: finding those that come with the package, and reading flat YAML or JSON.

What settings there are is told by the caller, `tfwgan.program.config`. Imports no TensorFlow.
"""

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tfwgan.errors import UsageError, suggest


def read_settings(
    path: str | Path, kinds: Mapping[str, Any], facts: Collection[str] = ()
) -> dict[str, Any]:
    """Reads a flat YAML (or JSON) file of settings.

    In YAML every value is the text that stands there, so that a name such as 010, 1.10 or no stays
    what was written.

    Args:
        path: As of `find_config`.
        kinds: The type of each setting by its name.
        facts: Keys that a file may have beside settings, which are left out.

    Raises:
        UsageError: If the file can't be read, isn't flat, or has a key that is unknown or stands
            there twice.
    """
    path = find_config(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")  # some editors write a mark first
        is_json = path.suffix.lower() == ".json"
        values = _from_json(text) if is_json else _from_yaml(text, kinds)
    except OSError as error:
        raise UsageError(f"Can't read --config={path}: {error.strerror}.") from None
    except RecursionError:
        raise UsageError(
            f"--config={path} is not valid YAML or JSON: it is nested too deeply."
        ) from None
    except Exception as error:  # readers of YAML raise anything on what is none
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"--config={path} is not valid YAML or JSON: {reason}.") from None
    values = {key: value for key, value in values.items() if key not in facts}
    for key in values:
        if key not in kinds:
            raise UsageError(
                f"--config={path} has an unknown key {key!r}{suggest(str(key), kinds)}"
            )
    return values


def find_config(path: str | Path) -> Path:
    """The file of a configuration: a path, or the name of one that comes with the package.

    Raises:
        UsageError: If there is none.
    """
    if not str(path):
        raise UsageError(
            "--config needs a file, or the name of a configuration that comes with the package."
        )
    path = Path(os.path.expanduser(path))
    if path.exists() or not CONFIGS.is_dir():
        return path
    known = sorted(str(one.relative_to(CONFIGS).with_suffix("")) for one in CONFIGS.rglob("*.yaml"))
    name = str(path.with_suffix("") if path.suffix == ".yaml" else path).removeprefix("configs/")
    if name in known:
        return CONFIGS / f"{name}.yaml"
    if path.suffix or "/" in str(path):  # meant as a file
        return path
    raise UsageError(
        f"There is no file --config={path}, nor a configuration of that name{suggest(name, known)}"
    )


def _configs() -> Path:
    """Where the configurations lie: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parent.parent
    return next(
        (one for one in (package / "configs", package.parent / "configs") if one.is_dir()),
        package / "configs",
    )


CONFIGS = _configs()


def _from_json(text: str) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        twice = [key for key, _ in pairs if sum(key == other for other, _ in pairs) > 1]
        if twice:
            raise ValueError(f"the key {twice[0]!r} stands there twice")
        return dict(pairs)

    values = json.loads(text, object_pairs_hook=unique)
    if not isinstance(values, dict):
        raise ValueError("it must hold an object of settings")
    return values


def _from_yaml(text: str, kinds: Mapping[str, Any]) -> dict[str, Any]:
    """Keys and values as texts, or lists of texts."""
    import yaml

    root, values = yaml.compose(text, yaml.BaseLoader), {}
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("it must hold lines of the form key: value")

    def scalar(node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise ValueError(f"it must be flat, but line {node.start_mark.line + 1} is nested")
        if node.tag != yaml.resolver.BaseResolver.DEFAULT_SCALAR_TAG:
            raise ValueError(
                f"line {node.start_mark.line + 1} has a tag {node.tag!r}, "
                "which is not understood here"
            )
        return node.value

    for key, value in root.value:
        name = scalar(key)
        if name in values:
            raise ValueError(f"the key {name!r} stands there twice")
        is_list = isinstance(value, yaml.SequenceNode)
        kind = kinds.get(name, str)
        values[name] = (
            tuple(map(scalar, value.value)) if is_list else _yaml_word(scalar(value), kind)
        )
    return values


def _yaml_word(text: str, kind: Any) -> Any:
    """What YAML means by yes, on and null, for settings that are no text."""
    if kind in (str, str | None):
        return "none" if text.lower() == "null" and kind is not str else text
    return {
        "yes": "true",
        "on": "true",
        "no": "false",
        "off": "false",
        "null": "none",
        "~": "none",
    }.get(text.lower(), text)
