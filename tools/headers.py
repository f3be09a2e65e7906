#!/usr/bin/env python3
"""Headers are contracts: what holds of all of them.

    headers.py examples PLAIN.cc TORCH.cc NAMES.txt HEADER...
                                     writes the examples as code to compile
    headers.py check [FOLDER]        reads every header below FOLDER (or here) and says what is wrong
    headers.py guards [FOLDER]       renames the include guards by their paths

An example is the indented code in the comment at the top of a header:

    // The videos of a split.
    //
    //   OP3D_ASSIGN_OR_RETURN(VideoList list, LoadVideoList(root));
    //   for (const Video& video : list.videos) Use(video);

An indented block is code when one of its lines ends with `;` or `{`; any other (a formula, a folder, a
table) is text.  All code of a header becomes the body of one function in the header's namespace, which
returns absl::Status.  What an example takes for granted stands in NAMES (tools/header_examples.txt).
`...` stands for nothing in particular, Use() and Print() for whatever is done with a result.
"""

import os
import re
import sys

TORCH = re.compile(r'#include [<"](ATen|torch|c10)/')
DEFINITION = re.compile(r"(int main|absl::Status\w*(<.*>)? \w+)\(.*\) \{$")
# What examples may use without their header's own includes; headers of this project by their file
# name only.
ALWAYS = ("absl/flags/flag.h", "absl/status/status.h", "file.h", "status_macros.h", "status_matchers.h")
PRELUDE = """
template <typename... T>
absl::Status Use(T&&...);
template <typename... T>
absl::Status Print(T&&...);
"""


def split_comment(line):
    """The code of a line, and whether a comment ends it."""
    quoted = False
    for i, letter in enumerate(line):
        if letter == '"' and line[i - 1 : i] != "\\":
            quoted = not quoted
        elif line.startswith("//", i) and not quoted:
            return line[:i].rstrip()
    return line.rstrip()


def top_comment(lines):
    """The lines of the comment that a file begins with."""
    for i, line in enumerate(lines):
        if not line.startswith("//"):
            return lines[:i]
    return lines


def code_blocks(lines):
    """[(number of the first line, lines of code)] of a header's comment."""
    blocks = []
    for number, line in enumerate(top_comment(lines), 1):
        if line.startswith("//   "):
            if not blocks or blocks[-1][0] + len(blocks[-1][1]) != number:
                blocks.append((number, []))
            blocks[-1][1].append(line[len("//   ") :])
    return [
        (number, block)
        for number, block in blocks
        if any(split_comment(line).endswith((";", "{")) for line in block)
    ]


def without_dots(line):
    """`...` is not C++."""
    code = split_comment(line)
    quoted = [m.span() for m in re.finditer(r'"[^"]*"', code)]

    def replaced(match):
        if any(first < match.start() < last for first, last in quoted):
            return match[0]
        return ";;" if code[: match.start()].endswith("for (") else ";"

    return re.sub(r"\.\.\.", replaced, code)


def read_names(path):
    """{header: (line, parameters of its example)}; "*" names what every example may use."""
    names = {}
    header = None
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        line = line.rstrip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(" "):
            names[header] = (names[header][0], names[header][1] + " " + line.strip())
            continue
        header, colon, rest = line.partition(":")
        if not colon or header in names:
            sys.exit(f"{path}:{number}: want `header: parameters`, each header once")
        names[header] = (number, rest.strip())
    return names


def write_example(path, lines, names_path, names):
    """The code that compiles a header's example; "" without one."""
    blocks = code_blocks(lines)
    if not blocks:
        return ""
    flags, definitions, body = [], [], []
    for first, block in blocks:
        code = [without_dots(line) for line in block]
        place = [f'#line {first} "{path}"']
        if DEFINITION.match(code[0]):
            definitions += place + code
            continue
        for i, line in enumerate(code):
            if line.startswith("ABSL_FLAG("):  # belongs outside of every namespace
                flags += [f'#line {first + i} "{path}"', line]
                code[i] = ""
        body += place + code
    found = re.search(r"^namespace (op3d[\w:]*) \{$", "\n".join(lines), re.M)
    stem = re.sub(r"\W", "_", path)
    # An ASSERT_ of GoogleTest returns nothing.
    returned = ("void", "") if any("ASSERT_" in line for line in body) else (
        "absl::Status", "return absl::OkStatus();")
    declared, parameters = [], ""
    for header in ("*", os.path.basename(path)):
        *declarations, parameters = names.get(header, (1, ""))[1].split(";")
        declared += [declaration.strip() + ";" for declaration in declarations]
    known = names.get(os.path.basename(path), (1, ""))[0]
    return "\n".join(
        flags
        + [f'#line {known} "{names_path}"']
        + [f"namespace {found[1] if found else 'op3d'} {{", f"namespace example_{stem} {{", PRELUDE]
        + declared
        + definitions
        # Inline: nobody calls it, so nothing of it is translated to machine code.
        + [f"inline {returned[0]} Example({parameters}) {{"]
        + body
        + [returned[1], "}", "}", "}", ""]
    )


def write_examples(plain, torch, names_path, headers):
    headers = sorted(headers)
    text = {path: open(path, encoding="utf-8").read() for path in headers}
    with_torch = {path for path in headers if TORCH.search(text[path])}
    grown = True
    while grown:
        grown = False
        for path in headers:
            included = re.findall(r'^#include "([^"]+)"', text[path], re.M)
            if path not in with_torch and with_torch.intersection(included):
                with_torch.add(path)
                grown = True
    names = read_names(names_path)
    examples = {path: write_example(path, text[path].split("\n"), names_path, names) for path in headers}
    with_torch |= {path for path in headers if re.search(r"\bat::", examples[path])}
    always = [path for path in headers if os.path.basename(path) in ALWAYS]
    always = [name for name in ALWAYS if "/" in name] + always
    unused = set(names) - {os.path.basename(p) for p in headers if examples[p]} - {"*"}
    if unused:
        sys.exit(f"{names_path}: no example needs these any more: {', '.join(sorted(unused))}")
    for output, chosen in ((plain, set(headers) - with_torch), (torch, with_torch)):
        with open(output, "w", encoding="utf-8") as file:
            file.write("".join(f'#include "{path}"\n' for path in sorted({*chosen, *always})) + "\n")
            file.write("\n".join(examples[path] for path in sorted(chosen) if examples[path]))


def guard_of(path):
    guard = re.sub(r"[/.-]", "_", path).upper() + "_"
    return guard if guard.startswith("OP3D_") else "OP3D_" + guard


def namespace_of(path):
    room = path.split("/")[0]
    # Its kernels have the names of the layers.
    if path.startswith("op3d/gpu/"):
        return "op3d::gpu"
    return f"op3d::{room}" if room in ("data", "planner", "results", "benchmarks") else "op3d"


def check_header(path):
    """What is wrong with a header, a sentence each."""
    lines = open(path, encoding="utf-8").read().split("\n")
    wrong = []
    if not top_comment(lines):
        wrong.append("1: it does not begin with a comment that says what it is")
    guard = guard_of(path)
    directives = [line.strip() for line in lines if line.strip()]
    if [f"#ifndef {guard}", f"#define {guard}"] != [
        line for line in directives if line.startswith("#")
    ][:2] or directives[-1] != f"#endif  // {guard}":
        wrong.append(f"1: its guard must be {guard}, by its path, and its end `#endif  // {guard}`")
    namespace = namespace_of(path)
    views = {}
    for number, line in enumerate(lines, 1):
        if line.startswith("namespace ") and line != f"namespace {namespace} {{":
            wrong.append(f"{number}: its namespace must be {namespace}, by its folder")
        if "absl::optional" in line or "absl/types/optional.h" in line:
            wrong.append(f"{number}: std::optional, not absl::optional")
        for view in re.findall(r"\b(?:std|absl)::string_view", line):
            views.setdefault(view, number)
    if len(views) > 1:
        wrong.append(f"{max(views.values())}: {' and '.join(sorted(views))} in one header")
    return [f"{path}:{sentence}" for sentence in wrong]


def headers_below(folder):
    """Paths from `folder`, in which the work is done from now on."""
    os.chdir(folder)
    return sorted(
        os.path.relpath(os.path.join(where, name), ".")
        for where, _, names in os.walk(".")
        for name in names
        if name.endswith(".h")
    )


def check(folder):
    headers = headers_below(folder)
    wrong = [sentence for path in headers for sentence in check_header(path)]
    examples = 0
    for path in headers:
        examples += bool(code_blocks(open(path, encoding="utf-8").read().split("\n")))
    for sentence in wrong:
        print(sentence)
    print(f"{len(headers)} headers, {examples} of them with an example, {len(wrong)} faults")
    return 1 if wrong or not examples else 0


def rename_guards(folder):
    for path in headers_below(folder):
        text = open(path, encoding="utf-8").read()
        found = re.search(r"^#ifndef (\w+)$", text, re.M)
        if found and found[1] != guard_of(path):
            with open(path, "w", encoding="utf-8") as file:
                file.write(re.sub(rf"\b{found[1]}\b", guard_of(path), text))
            print(path)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["examples"] and len(sys.argv) > 5:
        write_examples(*sys.argv[2:5], sys.argv[5:])
    elif sys.argv[1:2] in (["check"], ["guards"]) and len(sys.argv) < 4:
        work = check if sys.argv[1] == "check" else rename_guards
        sys.exit(work(*(sys.argv[2:] or ["."])))
    else:
        sys.exit(__doc__)
