"""Writes the page of reports as two arrays, what is before its data and what is after: the modules of the dashboard's page
joined into one classic script, since modules cannot be imported from a file:// address.

bundle_report.py HEADER INTO ENTRY STYLES SCRIPTS   (STYLES and SCRIPTS: paths with , between them; SCRIPTS run before)
"""
import base64
import hashlib
import pathlib
import re
import sys

IMPORT = re.compile(r'^import (?:\{([^}]*)\}|\* as (\w+)) from "(\.{1,2}/[^"]+)";\n', re.M)
EXPORT = re.compile(r"^export ((?:async )?function|const|class) (\w+)", re.M)


class Bundle:
    def __init__(self):
        self.names = {}
        self.text = '"use strict";\n'

    def add(self, path, importers=()):
        """The name of the object with what the module exports; what it imports comes before it."""
        path = path.resolve()
        if path in importers:
            sys.exit(f"{path} imports itself")
        if path not in self.names:
            source = path.read_text()
            found = [(match, self.add(path.parent / match[3], (*importers, path))) for match in IMPORT.finditer(source)]
            for match, name in reversed(found):
                names = f"{{ {re.sub(r' as ', ': ', match[1].strip())} }}" if match[1] is not None else match[2]
                source = source[:match.start()] + f"const {names} = {name};\n" + source[match.end():]
            exports = [match[2] for match in EXPORT.finditer(source)]
            source = EXPORT.sub(r"\1 \2", source)
            if re.search(r"^(import|export)\b|\bimport\(|^await ", source, re.M):
                sys.exit(f"{path}: what is imported or exported there is not understood")
            self.names[path] = f"$module{len(self.names)}"
            self.text += f"const {self.names[path]} = (() => {{\n{source}return {{ {', '.join(exports)} }};\n}})();\n"
        return self.names[path]


def hashed(element, text):
    """The element, and the source of a policy that lets it in."""
    if re.search(r"</(script|style)|<!--", text, re.I):
        sys.exit(f"what goes into <{element}> would end it")
    return f"<{element}>{text}</{element}>\n", "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def array(name, text):
    content = text.encode()
    rows = (",".join(map(str, content[at:at + 40])) for at in range(0, len(content), 40))
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def main(header, into, entry, styles, scripts):
    bundle = Bundle()
    bundle.add(pathlib.Path(entry))
    style, style_source = hashed("style", "\n".join(pathlib.Path(path).read_text() for path in styles.split(",")))
    texts = [pathlib.Path(path).read_text() for path in scripts.split(",")] + [bundle.text]
    elements, sources = zip(*(hashed("script", text) for text in texts))
    policy = f"default-src 'none'; script-src {' '.join(sources)}; style-src {style_source}; img-src data:; base-uri 'none'; form-action 'none'"
    before = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>tutti</title>
{style}</head>
<body>
<div id="page"></div>
<noscript>This report needs JavaScript. The same numbers are in those of --json, --csv and --markdown.</noscript>
<script type="application/json" id="data">"""
    after = f"</script>\n{''.join(elements)}</body>\n</html>\n"
    pathlib.Path(into).write_text(f"""/* The page of reports as arrays. */
#include "{header}"

{array("before", before)}{array("after", after)}
const struct bytes report_page_before = {{before, sizeof before}};
const struct bytes report_page_after = {{after, sizeof after}};
""")


main(*sys.argv[1:])
