#!/usr/bin/env python3
"""Compares MODULE.bazel with WORKSPACE, since only Bazel 4.2.3, which ignores the former, is run.

    python3 -m venv DIR && DIR/bin/pip install starlark-pyo3 && DIR/bin/python tools/check_module.py

Both files, and the .bzl files that they load, are evaluated as Starlark with stand-ins for Bazel's own functions.
Then: the same repositories with the same attributes (Debian packages, pkg-config modules, lock files of wheels);
every repository that a BUILD or .bzl file names is visible from MODULE.bazel; every such file parses. What the rules
do in Bazel 7 is not shown by this. Ends with 0; 1 and what differs; 0 and a reason where starlark-pyo3 is missing.
"""

import os
import re
import subprocess
import sys
from typing import Dict, List, Set

try:
    import starlark
except ImportError:
    starlark = None

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
# WORKSPACE's stand-ins for what Bazel 4.2.3 would load from the network. Bazel 7 brings its own,
# but if a .bzl file loads from one, that one needs a bazel_dep.
STUBS = ("rules_cc", "rules_java", "rules_proto", "remote_coverage_tools")
# What every workspace can name.
BUILT_IN = ("bazel_tools", "local_config_cc")

PRELUDE = """
def _attribute(**_kwargs):
    return None

attr = struct(label = _attribute, string = _attribute, string_list = _attribute, string_dict = _attribute,
              label_list = _attribute, bool = _attribute, int = _attribute)

def repository_rule(implementation, **_kwargs):
    def rule(name, **attributes):
        record(name, attributes)
    return rule

def module_extension(implementation, **_kwargs):
    return struct(implementation = implementation)

def _new_local_repository(name, **attributes):
    record(name, attributes)

def Label(label):
    return label

native = struct(new_local_repository = _new_local_repository)
"""
# Bazel's functions that PRELUDE gives to every .bzl file.
NAMES = ("attr", "repository_rule", "module_extension", "Label", "native")


class Evaluation:
    """Evaluates files of ROOT; `repositories` holds what they declare: name -> attributes."""

    def __init__(self) -> None:
        self.repositories: Dict[str, Dict[str, object]] = {}
        self.globals = starlark.Globals.extended_by([starlark.LibraryExtension.StructType])
        self.loaded: Dict[str, object] = {}
        prelude = starlark.Module()
        prelude.add_callable("record", self.record)
        starlark.eval(prelude, self.parse("prelude", PRELUDE), self.globals)
        self.loaded["prelude"] = prelude.freeze()

    def record(self, name: str, attributes: Dict[str, object]) -> None:
        if name in self.repositories:
            raise ValueError("@%s is declared twice" % name)
        self.repositories[name] = dict(attributes)

    @staticmethod
    def parse(name: str, text: str) -> object:
        dialect = starlark.Dialect.extended()
        dialect.enable_load_reexport = True
        return starlark.parse(name, text, dialect)

    def load(self, label: str) -> object:
        if label not in self.loaded:
            module = starlark.Module()
            path = label[len("//"):].replace(":", "/")
            text = "load('prelude', %s)\n" % ", ".join("'%s'" % name for name in NAMES) + read(path)
            starlark.eval(module, self.parse(path, text), self.globals, starlark.FileLoader(self.load))
            self.loaded[label] = module.freeze()
        return self.loaded[label]

    def run(self, path: str, text: str, functions: Dict[str, object]) -> None:
        module = starlark.Module()
        for name, function in functions.items():
            module.add_callable(name, function)
        starlark.eval(module, self.parse(path, text), self.globals, starlark.FileLoader(self.load))


def read(path: str) -> str:
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def workspace() -> Dict[str, Dict[str, object]]:
    evaluation = Evaluation()
    evaluation.run("WORKSPACE", read("WORKSPACE"), {
        "workspace": lambda name: None,
        "local_repository": lambda name, path: evaluation.record(name, {"path": path}),
    })
    return evaluation.repositories


class Module:
    """What MODULE.bazel declares."""

    def __init__(self, text: str) -> None:
        self.dependencies: Dict[str, str] = {}
        self.used: List[str] = []
        self.extensions: List[str] = []
        evaluation = Evaluation()
        evaluation.run("MODULE.bazel", text, {
            "module": lambda name, bazel_compatibility=(): None,
            "bazel_dep": self.bazel_dep,
            "use_extension": self.use_extension,
            "use_repo": self.use_repo,
        })
        for extension in self.extensions:
            file, name = extension.split("%")
            evaluation.run("extension", "load('%s', '%s')\n%s.implementation(None)\n" % (file, name, name), {})
        self.repositories = evaluation.repositories

    def bazel_dep(self, name: str, version: str, repo_name: str = "") -> None:
        self.dependencies[repo_name or name] = version

    def use_extension(self, file: str, name: str) -> str:
        self.extensions.append("%s%%%s" % (file, name))
        return self.extensions[-1]

    def use_repo(self, extension: str, *names: str) -> None:
        if extension not in self.extensions:
            raise ValueError("use_repo of an unknown extension")
        self.used += names


def build_files() -> List[str]:
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"], check=True,
                            stdout=subprocess.PIPE, universal_newlines=True).stdout.splitlines()
    return [path for path in listed if os.path.basename(path) == "BUILD" or path.endswith((".bzl", ".BUILD"))]


def named_repositories(paths: List[str]) -> Dict[str, str]:
    """Each repository that a label names, with one file that does."""
    found: Dict[str, str] = {}
    for path in paths:
        if not path.startswith("tools/workspace/stubs/"):
            for name in re.findall(r'"@([A-Za-z0-9_.-]+)//', read(path)):
                found.setdefault(name, path)
    return found


def compare(module: Module, expected: Dict[str, Dict[str, object]], named: Dict[str, str]) -> List[str]:
    differences = []
    for name in sorted(set(expected) | set(module.repositories)):
        if name in STUBS:
            continue
        if name not in module.repositories:
            differences.append("@%s is in WORKSPACE, not in MODULE.bazel" % name)
        elif name not in expected:
            differences.append("@%s is in MODULE.bazel, not in WORKSPACE" % name)
        elif expected[name] != module.repositories[name]:
            differences.append("@%s differs: WORKSPACE %s, MODULE.bazel %s" %
                               (name, expected[name], module.repositories[name]))
    used: Set[str] = set(module.used)
    for name in sorted(set(module.repositories) - used):
        differences.append("@%s is made by the extension, but use_repo does not name it" % name)
    for name in sorted(used - set(module.repositories)):
        differences.append("use_repo names @%s, which no extension makes" % name)
    if module.used != sorted(module.used):
        differences.append("the names of use_repo are not in alphabetical order")
    visible = used | set(module.dependencies) | set(BUILT_IN)
    for name in sorted(set(named) - visible):
        differences.append("%s names @%s, which MODULE.bazel does not declare" % (named[name], name))
    for name in sorted(set(module.dependencies) - set(STUBS)):
        differences.append("bazel_dep %s: WORKSPACE has no stub of this name" % name)
    return differences


def main() -> int:
    if starlark is None:
        print("skipped: starlark-pyo3 is not installed (python3 -m venv DIR && DIR/bin/pip install starlark-pyo3)")
        return 0
    try:
        paths = build_files()
        for path in paths + ["WORKSPACE", "MODULE.bazel"]:
            Evaluation.parse(path, read(path))
        module = Module(read("MODULE.bazel"))
        differences = compare(module, workspace(), named_repositories(paths))
    except (starlark.StarlarkError, OSError, ValueError) as error:
        print("check_module: %s" % error, file=sys.stderr)
        return 1
    print("\n".join(differences) or "MODULE.bazel agrees with WORKSPACE: %d repositories, %d modules (%s); %d files parse" %
          (len(module.repositories), len(module.dependencies),
           ", ".join("%s %s" % each for each in sorted(module.dependencies.items())), len(paths) + 2))
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
