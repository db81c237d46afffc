"""What became of each break, kept from run to run."""
import collections
import json

OUTCOMES = ["noticed", "survived", "equivalent", "same", "invalid"]


class Ledger:
    """One line of JSON a break. A break is known by the hash of its file, its line and what stands there instead; one
    that survived also by the hash of the tests, since others may notice it."""

    def __init__(self, path):
        self.path = path
        self.rows = {}
        if path.exists():
            for line in path.read_text().splitlines():
                row = json.loads(line)
                self.rows[(row["file"], row["hash"], row["key"])] = row
        self.file = path.open("a")

    def add(self, file_hash, one, outcome, by, tests_hash):
        row = {"file": one.file, "hash": file_hash, "key": one.key, "outcome": outcome, "by": by, "tests": tests_hash}
        self.rows[(one.file, file_hash, one.key)] = row
        self.file.write(json.dumps(row) + "\n")
        self.file.flush()

    def outcome(self, file_hash, one):
        row = self.rows.get((one.file, file_hash, one.key))
        return row["outcome"] if row else None

    def is_settled(self, file_hash, one, tests_hashes):
        """Whether it need not be tried by tests of one of these hashes."""
        row = self.rows.get((one.file, file_hash, one.key))
        return row is not None and (row["outcome"] != "survived" or row["tests"] in tests_hashes)


def share(counts):
    return 100 * counts["survived"] / max(counts["noticed"] + counts["survived"], 1)


def print_table(rows):
    """Of (folder, outcome or None)."""
    folders = collections.defaultdict(collections.Counter)
    for folder, outcome in rows:
        for counted in (folder, "all"):
            folders[counted][outcome or "untried"] += 1
    columns = [*OUTCOMES, "untried"]
    widest = max(map(len, folders), default=0)
    print(" ".join([" " * widest, *(f"{column:>10}" for column in columns), "  survived"]))
    for folder, counts in sorted(folders.items(), key=lambda row: (row[0] == "all", row[0])):
        print(" ".join([f"{folder:<{widest}}", *(f"{counts[column]:>10}" for column in columns), f"{share(counts):>8.1f} %"]), flush=True)
