"""Writes files as arrays, each as it is and compressed: the same output for the same files.

embed_page.py HEADER INTO FILE…
"""
import gzip
import hashlib
import pathlib
import sys

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}


def array(name, content):
    rows = (",".join(map(str, content[at:at + 40])) for at in range(0, len(content), 40))
    return f"static const unsigned char {name}[] = {{\n" + ",\n".join(rows) + "};\n"


def main(header, into, *paths):
    arrays, rows = "", ""
    for number, path in enumerate(sorted(map(pathlib.Path, paths), key=lambda path: path.name)):
        content = path.read_bytes()
        if not content:
            sys.exit(f"{path} is empty")
        if path.suffix not in TYPES:
            sys.exit(f"{path}: which content type is that?")
        compressed = gzip.compress(content, 9, mtime=0)
        tag = hashlib.sha256(content).hexdigest()[:32]
        name = "dygraph-" + path.name + ".txt" if path.name == "copyright" else path.name
        arrays += array(f"plain_{number}", content) + array(f"compressed_{number}", compressed)
        rows += f"""    {{.name = "{name}",
     .content_type = "{TYPES[path.suffix]}",
     .plain = {{.etag = "\\"{tag}\\"", .bytes = {{plain_{number}, sizeof plain_{number}}}}},
     .compressed = {{.etag = "\\"{tag}-gzip\\"", .bytes = {{compressed_{number}, sizeof compressed_{number}}}}}}},
"""
    pathlib.Path(into).write_text(f"""/* The files of the dashboard as arrays. */
#include "{header}"

{arrays}
const struct dashboard_file dashboard_files[] = {{
{rows}}};
const size_t dashboard_file_count = sizeof dashboard_files / sizeof *dashboard_files;
""")


main(*sys.argv[1:])
