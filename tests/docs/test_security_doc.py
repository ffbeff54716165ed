"""What SECURITY.md says of rdi's own code: nothing of a file is executed, and nothing asks the network."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for folder in ("rdi", "cli", "export", "runtime", "models")
    for path in (ROOT / folder).rglob("*.py")
}
# How rdi's processes speak to each other; neither opens a file.
SPEAK_PICKLE = {"rdi/child.py", "rdi/serving.py"}
CODE_IN_FILES = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
NETWORK = {
    "socket",
    "ssl",
    "urllib",
    "http",
    "ftplib",
    "smtplib",
    "requests",
    "httpx",
    "aiohttp",
    "webbrowser",
    "xmlrpc",
}


def imported(tree: ast.Module) -> set[str]:
    """Top-level packages."""
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def calls(tree: ast.Module, *names: str) -> Iterator[ast.Call]:
    """Calls of functions by these dotted names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names:
            yield node


def test_the_sources_are_all_looked_at() -> None:
    assert len(SOURCES) > 200
    assert {"rdi/child.py", "cli/infer.py", "export/exporter.py", "runtime/model.py"} <= set(SOURCES)


def test_no_module_imports_anything_that_speaks_to_the_network() -> None:
    assert {name for name, tree in SOURCES.items() if imported(tree) & NETWORK} == set()


def test_pickles_cross_pipes_between_processes_of_rdi_alone() -> None:
    found = {name for name, tree in SOURCES.items() if imported(tree) & CODE_IN_FILES}
    assert found - {"rdi/isolated.py"} == SPEAK_PICKLE  # isolated.py names an error of it
    assert not list(calls(SOURCES["rdi/isolated.py"], "pickle.load", "pickle.loads", "pickle.Unpickler"))
    for name in SPEAK_PICKLE:
        assert not list(calls(SOURCES[name], "open")), name


def test_torch_loads_weights_alone() -> None:
    found = [(name, call) for name, tree in SOURCES.items() for call in calls(tree, "torch.load")]
    assert found
    for name, call in found:
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert options.get("weights_only") == "True", name


def test_numpy_loads_no_objects() -> None:
    found = [(name, call) for name, tree in SOURCES.items() for call in calls(tree, "np.load", "numpy.load")]
    assert found
    for name, call in found:
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert options.get("allow_pickle", "False") == "False", name


def test_no_text_is_run_as_python() -> None:
    for name, tree in SOURCES.items():
        assert not list(calls(tree, "eval", "exec", "compile", "os.system", "os.popen")), name
        for call in calls(tree, "subprocess.run", "subprocess.Popen", "subprocess.check_output", "subprocess.call"):
            assert "shell" not in {keyword.arg for keyword in call.keywords}, name


def test_the_page_names_what_it_promises_of_the_network_and_of_code() -> None:
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    for words in ("ORT_DISABLE_TELEMETRY=1", "weights_only", "No sandbox", "Reporting", "NOTICE.md"):
        assert words in page
