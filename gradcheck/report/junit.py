"""Results as JUnit XML, for CI servers: one suite for each case file, one test case for each case and dtype.

It is valid by the schema of Jenkins, which refuses a whole report for one unknown attribute. There a suite has a `file`
but a test case has no line, so that every test case says `file:line` in its output.
"""

import re
from collections.abc import Iterable
from io import StringIO
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from rich.console import Console

from gradcheck.diagnostics import Diagnostic
from gradcheck.report.run import Run, of_case
from gradcheck.report.table import case_report
from gradcheck.verdict.record import Result, Status

WIDTH = 120
"""How wide the account of a case that fails is printed, in characters."""
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, however it is escaped."""


def render(run: Run) -> str:
    """The whole run as one XML document."""
    root = Element("testsuites", name="gradcheck")
    suites: dict[str, Element] = {}
    for each in run.diagnostics:
        if each.severity == "error":
            file = each.span.source.name if each.span else ""
            _unread(_suite(root, suites, file), file, each)
    for result in run.results:
        _test_case(_suite(root, suites, result.case.span.source.name), result, run.engine)
    for suite in suites.values():
        _count(suite, suite.findall("testcase"), of_suite=True)
    _count(root, root.iter("testcase"), of_suite=False)
    root.set("time", f"{run.seconds:.3f}")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _suite(root: Element, suites: dict[str, Element], file: str) -> Element:
    if file not in suites:
        suites[file] = SubElement(root, "testsuite", name=_text(file) or "files", file=_text(file))
    return suites[file]


def _unread(suite: Element, file: str, found: Diagnostic) -> None:
    """A file, or a case in it, that cannot be read."""
    test = SubElement(suite, "testcase", classname=_text(file), name=_text(f"{found.span or file} is well formed"))
    test.set("time", "0.000")
    _outcome(test, "error", found.code, found.message, found.render())


def _test_case(suite: Element, result: Result, engine: str) -> None:
    case = result.case
    file = case.span.source.name
    name = case.id.removeprefix(file).removeprefix("::") or case.name
    test = SubElement(suite, "testcase", classname=_text(file), name=_text(name), time=f"{result.seconds:.3f}")
    if result.status is Status.SKIPPED:
        SubElement(test, "skipped", message=_text(case.skip or ""))
    elif result.status is Status.UNSUPPORTED:
        SubElement(test, "skipped", type="unsupported", message=_text(_message(result)))
    elif result.status is not Status.PASSED:
        kind = "failure" if result.status is Status.FAILED else "error"
        _outcome(test, kind, str(result.verdict), _message(result), f"{case.span}\n{_account(result, engine)}")
    SubElement(test, "system-out").text = _text(f"{file}:{case.span.line}")


def _outcome(test: Element, kind: str, type_: str, message: str, account: str) -> None:
    SubElement(test, kind, type=_text(type_), message=_text(message)).text = _text(account)


def _message(result: Result) -> str:
    return "; ".join(each.sentence for each in of_case(result))


def _account(result: Result, engine: str) -> str:
    """What the table says of a case, without colour."""
    page = Console(file=StringIO(), width=WIDTH, color_system=None, highlight=False, emoji=False)
    with page.capture() as captured:
        page.print(case_report(result, "worst", engine), crop=False)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _count(element: Element, tests: Iterable[Element], *, of_suite: bool) -> None:
    """Write how many tests there are under `element`, and what became of them; only a suite may say all."""
    tests = list(tests)
    element.set("tests", str(len(tests)))
    element.set("failures", str(sum(each.find("failure") is not None for each in tests)))
    element.set("errors", str(sum(each.find("error") is not None for each in tests)))
    if of_suite:
        element.set("skipped", str(sum(each.find("skipped") is not None for each in tests)))
        element.set("time", f"{sum(float(each.get('time', 0)) for each in tests):.3f}")


def _text(text: str) -> str:
    return _NOT_XML.sub("�", text)
