#!/usr/bin/env python3
"""Measures tutti beside its yardsticks and prints ratios; --json writes them as well."""
import argparse
import contextlib
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / os.environ.get("TUTTI_BENCH_BUILD", "release")
TUTTI = BUILD / "tutti"

PAGE = r'default_type text/plain; return 200 "tiny page\n";'
ONWARD = ("proxy_pass http://127.0.0.1:{port}; proxy_http_version 1.1; proxy_read_timeout 1h; proxy_buffer_size 4k; "
          "proxy_set_header Upgrade websocket; proxy_set_header Connection Upgrade;")
NGINX = """
daemon off; worker_processes {workers}; pid {dir}/pid; error_log {dir}/error.log crit;
events {{ worker_connections 19000; accept_mutex off; }}
http {{
  access_log off; keepalive_requests 100000000; keepalive_timeout 1h; client_max_body_size 1m; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi; scgi_temp_path {dir}/scgi;
  ssl_certificate {dir}/certificate; ssl_certificate_key {dir}/key; ssl_protocols TLSv1.3;
  server {{
    listen {port} {tls} backlog=4096 reuseport;
    location / {{ {page} }}
    location /json {{ default_type application/json; return 200 '{json}'; }}
  }}
}}
"""


def pinned(core, command):
    """The command on one core, where there are two to keep apart."""
    return ["taskset", "-c", str(core)] + command if (os.cpu_count() or 1) > 1 else command


def run(command, **options):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, text=True, timeout=300, **options)
    return done.stdout


def tutti_run(*arguments, core=None, **options):
    """The report of one campaign, and what its script printed."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder) / "report.json"
        command = [str(TUTTI), "run", *map(str, arguments), "--json", str(report)]
        output = run(pinned(core, command) if core is not None else command, **options)
        return json.loads(report.read_text()), output


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nginx:
    """A server on the first core; with `tls` it speaks TLS 1.3 alone, with `is_http2` by HTTP/2. With a port `onward` it is a
    proxy of the WebSockets there."""

    def __init__(self, tls=False, *, is_http2=False, workers=1, onward=None):
        self.tls, self.is_http2, self.workers = tls or is_http2, is_http2, workers
        self.page = ONWARD.format(port=onward) if onward else PAGE

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        self.port = free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=localhost", "-days", "2", "-keyout", f"{self.folder}/key",
                        "-out", f"{self.folder}/certificate"], check=True, stderr=subprocess.DEVNULL)
        conf = pathlib.Path(self.folder) / "nginx.conf"
        answer = json.dumps({"author": 1, "step": 7, "page": "start", "tags": ["a", "b", "c"], "is_draft": False,
                             "text": "a line of a comment, " * 38})
        conf.write_text(NGINX.format(dir=self.folder, port=self.port, workers=self.workers, json=answer, page=self.page,
                                     tls="ssl http2" if self.is_http2 else "ssl" if self.tls else ""))
        self.process = subprocess.Popen(pinned(0, ["nginx", "-c", str(conf), "-p", self.folder]))
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    break
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/"

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def timed(command):
    """What a command printed, and the processor time that it and its children took."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen([str(c) for c in command], stdout=output, stderr=subprocess.DEVNULL)
        _pid, _status, usage = os.wait4(process.pid, 0)
        output.seek(0)
        return output.read(), usage.ru_utime + usage.ru_stime


def wrk_round(url, seconds, *options):
    """Requests in a second, and the processor time of one in µs."""
    text, used_s = timed(pinned(1, ["wrk", "-t1", "-c50", f"-d{seconds}s", *options, url]))
    return (float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1)),
            1e6 * used_s / int(re.search(r"(\d+) requests in", text).group(1)))


def tutti_run_timed(kind, url, *options):
    """The report, and the processor time of all processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "report.json"
        _text, used_s = timed(pinned(1, [TUTTI, "run", HERE / "http.lua", "--single-mode", kind, "-w", 50, "--agents", 1,
                                         "--shards", 1, "--target", url, "-q", "--json", path, *options]))
        return json.loads(path.read_text()), used_s


def tutti_round(kind, url, seconds, *options):
    """Requests in a second, and the processor time of one in µs: without what it takes to start and to end, which is
    that of a run in which each worker makes one request."""
    _report, started_s = tutti_run_timed(kind, url, "-r", 1, *options)
    report, used_s = tutti_run_timed(kind, url, "-d", seconds, *options)
    requests = report["requests"].values()
    count = sum(r["count"] for r in requests)
    if any(r["failed"] for r in requests) or report["steps"]["failed"]:
        sys.exit(f"http: {kind}: requests failed: {report['errors']}")
    return count / report["duration_s"], 1e6 * (used_s - started_s) / count


def beside_wrk(kind, seconds, tls=False, wrk=()):
    """Three rounds of each, taken in turn; the medians are compared, by the clock and by processor time."""
    ours, theirs = [], []
    with Nginx(tls) as url:
        for _ in range(3):
            ours.append(tutti_round(kind, url, seconds))
            theirs.append(wrk_round(url, seconds, *wrk))
    (our_rate, our_us), (their_rate, their_us) = ([statistics.median(column) for column in zip(*rows)] for rows in (ours, theirs))
    return {f"{kind}_per_s": our_rate, f"{kind}_wrk_per_s": their_rate, f"{kind}_of_wrk": our_rate / their_rate,
            f"{kind}_us": our_us, f"{kind}_wrk_us": their_us, f"{kind}_us_of_wrk": their_us / our_us}


def measure_http(seconds):
    bare, theirs = [], []
    with Nginx() as url:
        for _ in range(3):
            bare.append(json.loads(run(pinned(1, [str(BUILD / "bin" / "bare_curl"), url, "50", str(seconds)])))["per_s"])
            theirs.append(tutti_round("get", url, seconds, "--http-engine", "curl")[0])
    middle = statistics.median
    return {"bare_curl_per_s": middle(bare), "curl_per_s": middle(theirs), "of_bare_curl": middle(theirs) / middle(bare),
            **beside_wrk("get", seconds), **beside_wrk("tls", seconds, tls=True),
            **beside_wrk("close", seconds, wrk=("-H", "Connection: close")), **beside_wrk("json", seconds)}


def measure_http2(seconds):
    """Over TLS, 50 connections with one stream each; three rounds in turn."""
    ours, theirs = [], []
    with Nginx(is_http2=True) as url:
        for _ in range(3):
            report, _output = tutti_run(HERE / "http2.lua", "-w", 50, "-d", seconds, "--agents", 1, "--shards", 1,
                                        "--target", url, "-q", core=1)
            ours.append(sum(r["count"] for r in report["requests"].values()) / report["duration_s"])
            text = run(pinned(1, ["h2load", "-t1", "-c50", "-m1", f"-D{seconds}", url]))
            theirs.append(float(re.search(r"([\d.]+) req/s", text).group(1)))
    middle = statistics.median
    return {"tutti_per_s": middle(ours), "h2load_per_s": middle(theirs), "of_h2load": middle(ours) / middle(theirs)}


def turn_p50_us(rounds, pause_s=None):
    environment = dict(os.environ, **({} if pause_s is None else {"TURN_PAUSE": str(pause_s)}))
    _report, output = tutti_run(HERE / "turn.lua", "-w", 101, "-r", rounds, "--agents", 2, "--shards", 1, "--allow-system",
                                env=environment)
    last = {}
    for step, late in re.findall(r"turn (\d+) ([\d.]+)", output):
        if int(step) > rounds // 10:  # before that, memory is still being had from the system
            last[int(step)] = max(last.get(int(step), 0.0), float(late))
    return statistics.median(last.values())


def measure_turn(rounds):
    """Like with like: turns one after the other beside round trips one after the other, and both after a rest."""
    turn, trip, rested_turn, rested_trip = [], [], [], []
    for _ in range(3):
        trip.append(json.loads(run([BUILD / "bin" / "zmq_roundtrip", 20000]))["p50_us"])
        turn.append(turn_p50_us(rounds))
        rested_trip.append(json.loads(run([BUILD / "bin" / "zmq_roundtrip", rounds, 2000]))["p50_us"])
        rested_turn.append(turn_p50_us(rounds, 0.002))
    middle = statistics.median
    return {"turn_p50_us": middle(turn), "round_trip_p50_us": middle(trip),
            "times_round_trip": middle(turn) / middle(trip),
            "rested_turn_p50_us": middle(rested_turn), "rested_round_trip_p50_us": middle(rested_trip),
            "times_rested": middle(rested_turn) / middle(rested_trip)}


class Daemon:
    """A coordinator with two agents of one shard; what the agents print goes into files."""

    def __init__(self, folder, *options):
        self.folder, self.ports = pathlib.Path(folder), (free_port(), free_port())
        self.command = [str(TUTTI), "coordinator", "--listen", f"tcp://127.0.0.1:{self.ports[0]}",
                        "--http", f"127.0.0.1:{self.ports[1]}", *map(str, options)]
        self.api = f"http://127.0.0.1:{self.ports[1]}"
        self.processes = []

    def start(self):
        process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True)
        self.processes.append(process)
        log = []
        for line in process.stderr:
            log.append(line)
            if "ready: agents" in line:
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return process, "".join(log)
        raise RuntimeError("".join(log))

    def start_agents(self):
        for name in ("a1", "a2"):
            with open(self.folder / name, "w") as output:
                self.processes.append(subprocess.Popen(
                    [str(TUTTI), "agent", "--coordinator", f"tcp://127.0.0.1:{self.ports[0]}", "--name", name, "--shards", "1",
                     "--allow-system"], stdout=output, stderr=subprocess.DEVNULL))

    def begin(self, rounds):
        return subprocess.Popen([str(TUTTI), "start", str(HERE / "turn.lua"), "-w", "101", "-r", str(rounds), "--expect-agents", "2",
                                 "--allow-system", "--wait", "-q", "--api", self.api], stdout=subprocess.DEVNULL)

    def metrics(self):
        text = run(["curl", "-s", f"{self.api}/metrics"])
        return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if not line.startswith("#")}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()


def daemon_turn(rounds, *options):
    """The p50 of a turn, and how large the journal came to be for each operation."""
    with tempfile.TemporaryDirectory() as folder, Daemon(folder, *options) as daemon:
        daemon.start()
        daemon.start_agents()
        daemon.begin(rounds).wait()
        metrics = daemon.metrics()
        last = {}
        for name in ("a1", "a2"):
            for step, late in re.findall(r"turn (\d+) ([\d.]+)", (pathlib.Path(folder) / name).read_text()):
                if int(step) > rounds // 10:
                    last[int(step)] = max(last.get(int(step), 0.0), float(late))
        return statistics.median(last.values()), metrics["tutti_journal_written_bytes_total"] / metrics["tutti_operations_total"]


def replay():
    """Killed in the middle: how fast the next process has read its journal."""
    with tempfile.TemporaryDirectory() as folder, Daemon(folder, "--state", f"{folder}/state") as daemon:
        process, _log = daemon.start()
        daemon.start_agents()
        campaign = daemon.begin(1000000)
        time.sleep(5)
        operations = daemon.metrics()["tutti_operations_total"]
        process.kill()
        process.wait()
        _process, log = daemon.start()
        campaign.kill()
        campaign.wait()
        events, size, took = map(int, re.search(r"(\d+) events, (\d+) bytes, in (\d+) ms", log).groups())
        return {"replayed_events": events, "replayed_mb": size / 1e6, "replay_ms": took,
                "replayed_operations_per_s": operations / max(took, 1) * 1000}


def measure_journal(rounds):
    off, on, size = [], [], []
    for _ in range(3):
        off.append(daemon_turn(rounds)[0])
        with tempfile.TemporaryDirectory() as folder:
            turn, each = daemon_turn(rounds, "--state", f"{folder}/state")
        on.append(turn)
        size.append(each)
    middle = statistics.median
    return {"off_p50_us": middle(off), "on_p50_us": middle(on), "on_of_off": middle(on) / middle(off),
            "bytes_each": middle(size), **replay()}


def measure_barrier(workers, generations):
    report, _output = tutti_run(HERE / "barrier.lua", "-w", workers, "-r", generations, "--agents", 4, "--shards", 1)
    wait = next(w for w in report["waits"].values() if w["kind"] == "barrier")
    return {"workers": workers, "p50_ms": wait["p50_ms"], "p99_ms": wait["p99_ms"],
            "generation_ms": 1000 * report["duration_s"] / generations}


def children(pid):
    return [int(c) for c in run(["pgrep", "-P", pid]).split()]


def resident_bytes(pid):
    fields = dict(re.findall(r"(\w+):\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()))
    return int(fields["Pss"]) * 1024


def idle_agent(workers):
    """The memory of one agent when all its workers sleep."""
    process = subprocess.Popen([str(TUTTI), "run", str(HERE / "idle.lua"), "-w", str(workers), "-r", "1", "--agents", "1",
                                "--shards", "1"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    guard = threading.Timer(120, process.kill)
    guard.start()
    try:
        for line in process.stdout:  # one every five seconds, where there is no terminal
            if re.search(rf"\b{workers} workers?\b", line.replace(",", "")):
                break
        else:
            sys.exit(f"idle: {workers} workers never ran")
        time.sleep(1)
        return resident_bytes(children(process.pid)[0])
    finally:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        guard.cancel()


@contextlib.contextmanager
def held_agent(url, workers, period_s, spread_s):
    """The process id of one agent, once each of its workers has a connection open."""
    environment = dict(os.environ, BENCH_PERIOD=str(period_s), BENCH_SPREAD=str(spread_s))
    process = subprocess.Popen([str(TUTTI), "run", str(HERE / "connections.lua"), "-w", str(workers), "-d", "300", "--agents", "1",
                                "--shards", "1", "--allow-system", "--target", url, "-q"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    guard = threading.Timer(280, process.kill)
    guard.start()
    try:
        until = time.monotonic() + spread_s + 60
        while True:
            started = children(process.pid)
            if started and len(os.listdir(f"/proc/{started[0]}/fd")) > workers:
                break
            if time.monotonic() > until or process.poll() is not None:
                sys.exit(f"connections: {workers} workers never had one each")
            time.sleep(0.2)
        time.sleep(2)
        yield started[0]
    finally:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.wait()
        guard.cancel()


def held_bytes(tls, workers):
    with Nginx(tls, workers=4) as url, held_agent(url, workers, 3600, workers / (400 if tls else 2000)) as agent:
        return resident_bytes(agent)


def measure_connections(workers, seconds):
    """What a worker with an open connection takes, and what many of them cost that ask once in ten seconds."""
    result = {"workers": workers}
    for name, tls in (("plain", False), ("tls", True)):
        few = workers // 10
        result[f"{name}_bytes_each"] = (held_bytes(tls, workers) - held_bytes(tls, few)) / (workers - few)
    with Nginx(workers=4) as url, held_agent(url, workers, 10, 10) as agent:
        before, began = cpu_s(agent), time.monotonic()
        time.sleep(seconds)
        result["core_percent"] = 100 * (cpu_s(agent) - before) / (time.monotonic() - began)
    result["core_percent_of_50000"] = result["core_percent"] * 50000 / workers
    return result


@contextlib.contextmanager
def echo_server():
    """The port of a WebSocket server on the first core."""
    process = subprocess.Popen(pinned(0, [BUILD / "bin" / "websocket_echo"]), stdout=subprocess.PIPE, text=True)
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def websocket_round(port, *options):
    """The report of echoes, and the processor time of all processes of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "report.json"
        _text, used_s = timed(pinned(1, [TUTTI, "run", HERE / "websocket.lua", "--single-mode", "echo", "-w", 100, "--agents", 1, "--shards", 1,
                                         "--target", f"http://127.0.0.1:{port}", "-q", "--allow-system", "--json", path, *options]))
        report = json.loads(path.read_text())
    if report["steps"]["failed"]:
        sys.exit(f"websocket: steps failed: {report['errors']}")
    return report["websockets"]["WS /"]["messages_in"], report["duration_s"], used_s


def measure_websocket(seconds):
    """100 connections, each with a message of 100 bytes under way; three rounds in turn, each on the second core. The medians
    are compared by the clock and by processor time, without what it takes to start and to end."""
    ours, theirs = [], []
    with echo_server() as port:
        for _ in range(3):
            first, _duration_s, started_s = websocket_round(port, "-r", 1)
            count, duration_s, used_s = websocket_round(port, "-d", seconds)
            ours.append((count / duration_s, 1e6 * (used_s - started_s) / (count - first)))
            text, used_s = timed(pinned(1, [BUILD / "bin" / "bare_websocket", port, 100, seconds]))
            theirs.append((json.loads(text)["per_s"], 1e6 * used_s / json.loads(text)["messages"]))
    (our_rate, our_us), (their_rate, their_us) = ([statistics.median(column) for column in zip(*rows)] for rows in (ours, theirs))
    return {"tutti_per_s": our_rate, "bare_per_s": their_rate, "of_bare": our_rate / their_rate,
            "tutti_us": our_us, "us_of_bare": their_us / our_us}


def held_websockets(url, workers, seconds, per_s):
    """The memory of an agent with so many open connections, and the share of a core that they take at rest."""
    process = subprocess.Popen([str(TUTTI), "run", str(HERE / "websocket.lua"), "--single-mode", "held", "-w", str(workers), "-r", "1",
                                "--agents", "1", "--shards", "1", "--allow-system", "--target", url, "-q"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, BENCH_PER_S=str(per_s)))
    guard = threading.Timer(workers / per_s + 120, process.kill)
    guard.start()
    try:
        until = time.monotonic() + workers / per_s + 90
        while True:
            started = children(process.pid)
            if started and len(os.listdir(f"/proc/{started[0]}/fd")) > workers:
                break
            if time.monotonic() > until or process.poll() is not None:
                sys.exit(f"websockets: {workers} workers never had one each")
            time.sleep(0.2)
        for _ in range(30):  # until the last handshakes are over
            before = cpu_s(started[0])
            time.sleep(1)
            if cpu_s(started[0]) - before < 0.05:
                break
        before, began = cpu_s(started[0]), time.monotonic()
        time.sleep(seconds)
        return resident_bytes(started[0]), 100 * (cpu_s(started[0]) - before) / (time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        process.wait()
        guard.cancel()


def measure_websockets(workers, seconds):
    """What a worker with an open WebSocket takes, all in: of many, without what the agent takes for a few."""
    few, result = workers // 10, {"workers": workers}
    with echo_server() as port, Nginx(tls=True, workers=4, onward=port) as url:
        small, _ = held_websockets(f"http://127.0.0.1:{port}", few, 1, 2000)
        large, result["core_percent"] = held_websockets(f"http://127.0.0.1:{port}", workers, seconds, 2000)
        result["plain_bytes_each"] = (large - small) / (workers - few)
        small, _ = held_websockets(url, few, 1, 300)
        large, result["tls_core_percent"] = held_websockets(url, workers, seconds, 300)
        result["tls_bytes_each"] = (large - small) / (workers - few)
    return result


def measure_core(steps):
    def rate(workers, room_size):
        return json.loads(run([BUILD / "bin" / "core_operations", workers, room_size, steps]))

    small, great = rate(2000, 5), rate(10000, 10000)
    return {"operations_per_s": small["operations_per_s"], "worker_operations_per_s": great["worker_operations_per_s"]}


def measure_thresholds(seconds):
    return json.loads(run([BUILD / "bin" / "threshold_judge", 50, 100, seconds]))


def measure_statistics(seconds):
    return {**json.loads(run([BUILD / "bin" / "statistics_merge", 1000, 100, 10, seconds])),
            **json.loads(run([BUILD / "bin" / "meter_samples", 100, seconds]))}


def cpu_s(pid):
    """Processor time of all threads of a process."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_agents(agents, seconds):
    """What so many agents that have joined and do nothing cost the coordinator."""
    daemon = subprocess.Popen([str(TUTTI), "coordinator", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0"],
                              stderr=subprocess.PIPE, text=True)
    guard = threading.Timer(seconds + 120, daemon.kill)
    guard.start()
    try:
        endpoint = next(found.group(1) for line in daemon.stderr
                        if (found := re.search(r"ready: agents at (tcp://\S+),", line)))
        threading.Thread(target=daemon.stderr.read, daemon=True).start()
        empty = resident_bytes(daemon.pid)
        crowd = subprocess.Popen([str(BUILD / "bin" / "many_agents"), endpoint, str(agents)],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if crowd.stdout.readline() != "joined\n":
            sys.exit("agents: not all joined")
        time.sleep(3)
        before, began = cpu_s(daemon.pid), time.monotonic()
        time.sleep(seconds)
        share = (cpu_s(daemon.pid) - before) / (time.monotonic() - began)
        full = resident_bytes(daemon.pid)
        crowd.communicate("")
    finally:
        daemon.terminate()
        daemon.wait()
        guard.cancel()
    return {"agents": agents, "core_percent": 100 * share, "kb_each": (full - empty) / agents / 1e3}


def discard(streams, stop):
    """Reads all of them until told to stop; how many bytes there were."""
    selector, size = selectors.DefaultSelector(), 0
    for stream in streams:
        selector.register(stream, selectors.EVENT_READ)
    while not stop.is_set():
        for key, _ in selector.select(0.2):
            size += len(key.fileobj.recv(1 << 20))
    return size


def measure_watchers(watchers, seconds):
    """What so many pages that are open cost the coordinator, each of which is sent what 500 names counted, every second."""
    os.environ["TUTTI"] = str(TUTTI)
    sys.path.insert(0, str(HERE.parent / "integration"))
    from daemon import Agent, Coordinator
    from support import environment, tutti

    with contextlib.ExitStack() as stack:
        coordinator = stack.enter_context(Coordinator())
        stack.enter_context(Agent(coordinator.endpoint, "a1"))
        coordinator.wait_agents(1)
        env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")
        campaign = int(tutti("start", HERE / "watchers.lua", "-w", 100, "-d", "10m", "--room-size", 5, env=env).out)
        coordinator.wait_state(campaign, "running")
        time.sleep(3)

        def share():
            before, began = cpu_s(coordinator.process.pid), time.monotonic()
            time.sleep(seconds)
            return 100 * (cpu_s(coordinator.process.pid) - before) / (time.monotonic() - began)
        alone = share()
        streams, stop, sizes = [], threading.Event(), []
        for _ in range(watchers):
            stream = stack.enter_context(socket.create_connection(("127.0.0.1", coordinator.port)))
            stream.sendall(f"GET /v1/campaigns/{campaign}/events?since=0 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {coordinator.token}\r\n\r\n".encode())
            streams.append(stream)
        reader = threading.Thread(target=lambda: sizes.append(discard(streams, stop)))
        reader.start()
        time.sleep(2)
        watched = share()
        stop.set()
        reader.join()
        coordinator.post(f"/v1/campaigns/{campaign}/stop", {"at_once": True})
    return {"watchers": watchers, "core_percent": watched - alone, "alone_percent": alone, "kb_each_s": sizes[0] / watchers / (seconds + 2) / 1e3}


class Redis:
    """A server of the bench's own."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp()
        port = free_port()
        self.process = subprocess.Popen(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no",
                                         "--dir", self.folder, "--maxclients", "12000", "--tcp-backlog", "4096"],
                                        stdout=subprocess.DEVNULL)
        until = time.monotonic() + 10
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        return port

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)


def barrier_generation_ms(workers, generations):
    """By the difference of two lengths, so that start and end do not count."""
    def duration_ms(runs):
        report, _output = tutti_run(HERE / "barrier.lua", "-w", workers, "-r", runs, "--agents", 4, "--shards", 1, "-q")
        return 1000 * report["duration_s"]

    return (duration_ms(3 * generations) - duration_ms(generations)) / (2 * generations)


def measure_redis(generations):
    program = BUILD / "bin" / "redis_barrier"
    if not shutil.which("redis-server") or not program.exists():
        print("redis    left out: there is no redis-server or no libhiredis-dev here")
        return None
    result = {}
    for workers in (100, 1000, 5000):
        count = max(3, generations * 100 // workers)
        with Redis() as port:
            theirs = json.loads(run([program, port, workers, count]))["generation_ms"]
        ours = barrier_generation_ms(workers, generations)
        result |= {f"redis_{workers}_ms": theirs, f"tutti_{workers}_ms": ours, f"times_{workers}": theirs / ours}
    return result


def measure_idle(workers):
    alone, all_of_them = idle_agent(1), idle_agent(workers)
    return {"workers": workers, "agent_mb": all_of_them / 1e6, "bytes_each": (all_of_them - alone) / (workers - 1),
            "bytes_each_all_in": all_of_them / workers}


def measure_arrivals(seconds):
    """5,000 arrivals a second over four agents: all of them begin, each second those that its plan has."""
    report, _ = tutti_run(HERE / "arrivals.lua", "-w", 4000, "--agents", 4, "--shards", 1, "--rate", "5000/s", "-d", f"{seconds}s", "-q")
    load = report["load"]
    by_second = report["series"]["total"]["arrivals"]["count"][1:seconds - 1]  # the agents' seconds and the plan's begin some ms apart
    return {"arrivals": load["arrivals"], "of_plan": load["arrivals"] / (5000 * seconds), "dropped": load["dropped"],
            "worst_second_percent": max(abs(count - 5000) for count in by_second) / 50, "late_p99_ms": load["late_ms"]["p99"]}


def measure_stop(workers):
    """`tutti stop` in the midst of steps, until the campaign has ended with its report; every teardown fixture tells of itself."""
    os.environ["TUTTI"] = str(TUTTI)
    sys.path.insert(0, str(HERE.parent / "integration"))
    from daemon import Coordinator, Logged
    from support import environment, script, tutti, wait_until

    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        coordinator = stack.enter_context(Coordinator())
        outputs = [folder / f"a{number}" for number in range(4)]
        for path in outputs:
            stack.enter_context(Logged("agent", "--coordinator", coordinator.endpoint, "--name", path.name, "--shards", 1,
                                       stdout=stack.enter_context(path.open("wb"))))
        coordinator.wait_agents(4)
        env = environment(TUTTI_API=f"http://127.0.0.1:{coordinator.port}")

        def said(words):
            return sum(path.read_bytes().count(words) for path in outputs)
        begun = time.monotonic()
        campaign = int(tutti("start", script("sleeps"), "-w", workers, "--expect-agents", 4, env=env).out)
        wait_until(lambda: said(b"sleeping") == workers, 60, "they do not all sleep")
        started = time.monotonic()
        tutti("stop", campaign, env=env)
        report = coordinator.report(campaign)
        ended = time.monotonic()
        if said(b"torn down") != workers or report["steps"]["stopped"] != workers:
            sys.exit(f"stop: {said(b'torn down')} of {workers} torn down, the report says {report['steps']}")
    return {"workers": workers, "start_ms": 1000 * (started - begun), "stop_ms": 1000 * (ended - started)}


BENCHES = [
    ("http", lambda quick: measure_http(2 if quick else 6),
     [(f"{kind}_{key}", label) for kind, what, aim in (
         ("get", "GET", "≥ 1.0"), ("tls", "GET over TLS 1.3, wrk too", "≥ 0.95"),
         ("close", "a connection for each, wrk too", "≥ 1.0"), ("json", "POST of 1 kB JSON, wrk's plain GET", "≥ 0.6"))
      for key, label in (("per_s", f"requests/s, {what}"), ("wrk_per_s", "… wrk -t1 -c50"), ("of_wrk", f"… tutti ÷ wrk (aim: {aim})"),
                         ("us", "… processor time of a request, µs"), ("us_of_wrk", "… wrk's processor time ÷ tutti's"))]
     + [("curl_per_s", "requests/s, engine on libcurl"), ("bare_curl_per_s", "… bare libcurl on libuv"),
        ("of_bare_curl", "… tutti ÷ bare libcurl (aim: ≥ 0.85)")]),
    ("connections", lambda quick: measure_connections(3000 if quick else 18000, 10 if quick else 20),
     [("plain_bytes_each", "bytes for a worker with an open connection (aim: ≤ 6,000)"),
      ("tls_bytes_each", "… over TLS (aim: ≤ 40,000)"),
      ("core_percent", "one request each 10 s on all of them, % of a core"),
      ("core_percent_of_50000", "… as much for 50,000 (aim: < 30)")]),
    ("websocket", lambda quick: measure_websocket(2 if quick else 6),
     [("tutti_per_s", "WebSocket echoes of 100 bytes/s, tutti"), ("bare_per_s", "… bare wslay on libuv"),
      ("of_bare", "… tutti ÷ bare (aim: ≥ 0.8)"), ("tutti_us", "… processor time of an echo, µs"),
      ("us_of_bare", "… bare's processor time ÷ tutti's (aim: ≥ 0.8)")]),
    ("websockets", lambda quick: measure_websockets(2000 if quick else 10000, 5 if quick else 20),
     [("plain_bytes_each", "bytes for a worker with an open WebSocket (aim: ≤ 10,000)"),
      ("tls_bytes_each", "… over TLS (aim: ≤ 45,000)"), ("core_percent", "all of them idle, % of a core (aim: < 2)"),
      ("tls_core_percent", "… over TLS")]),
    ("http2", lambda quick: measure_http2(2 if quick else 6),
     [("tutti_per_s", "requests/s, tutti"), ("h2load_per_s", "requests/s, h2load -t1 -c50 -m1"),
      ("of_h2load", "tutti ÷ h2load (aim: ≥ 0.7)")]),
    ("journal", lambda quick: measure_journal(300 if quick else 1000),
     [("off_p50_us", "turn without --state, p50 µs"), ("on_p50_us", "turn with --state, p50 µs"),
      ("on_of_off", "with ÷ without (aim: ≤ 1.1)"), ("bytes_each", "bytes of journal for an operation of a worker"),
      ("replay_ms", "ms to go on from a journal"), ("replayed_mb", "of so many MB"),
      ("replayed_operations_per_s", "operations of workers replayed in a second")]),
    ("turn", lambda quick: measure_turn(300 if quick else 1000),
     [("turn_p50_us", "written → last of 100 readers, p50 µs"), ("round_trip_p50_us", "bare ZeroMQ round trip, p50 µs"),
      ("times_round_trip", "turn ÷ round trip (aim: ≤ 3)"),
      ("rested_turn_p50_us", "turn after a rest of 2 ms, p50 µs"),
      ("rested_round_trip_p50_us", "bare round trip after a rest of 2 ms, p50 µs"),
      ("times_rested", "turn ÷ round trip, both after a rest (aim: ≤ 3)")]),
    ("barrier", lambda quick: measure_barrier(10000, 20 if quick else 100),
     [("p50_ms", "barrier of 10,000 over 4 agents, p50 ms (aim: ≤ 10)"), ("p99_ms", "… p99 ms"),
      ("generation_ms", "… the whole generation, ms")]),
    ("core", lambda quick: measure_core(100 if quick else 500),
     [("operations_per_s", "notifier operations/s, rooms of 5 (aim: ≥ 300,000)"),
      ("worker_operations_per_s", "… of single workers, one room of 10,000")]),
    ("thresholds", lambda quick: measure_thresholds(60 if quick else 300),
     [("ms_per_s", "judging 50 thresholds of 100 names, half of them windows, ms a second (aim: < 1)")]),
    ("statistics", lambda quick: measure_statistics(2 if quick else 10),
     [("core_percent", "statistics of 1,000 agents with 100 names each, % of a core (aim: ≤ 15)"),
      ("samples_per_s", "a shard counts requests of 100 names, samples/s of one core (aim: ≥ 1,000,000)"),
      ("tagged_samples_per_s", "… with two tags each")]),
    ("agents", lambda quick: measure_agents(1000, 5 if quick else 20),
     [("core_percent", "1,000 idle agents, % of a core (aim: < 10)"), ("kb_each", "… kB of the coordinator for each (aim: < 64)")]),
    ("watchers", lambda quick: measure_watchers(50, 5 if quick else 20),
     [("core_percent", "50 open pages of a campaign with 500 names, % of a core (aim: < 5)"), ("kb_each_s", "… kB a second that each is sent"),
      ("alone_percent", "… the coordinator without them, % of a core")]),
    ("redis", lambda quick: measure_redis(100 if quick else 300),
     [(key, label) for workers in (100, 1000, 5000) for key, label in (
         (f"redis_{workers}_ms", f"barrier of {workers:,} by hand over Redis, 4 processes, ms"),
         (f"tutti_{workers}_ms", "… tutti, 4 agents, ms"),
         (f"times_{workers}", "… Redis ÷ tutti" + (" (aim: ≥ 20)" if workers == 1000 else "")))]),
    ("arrivals", lambda quick: measure_arrivals(10 if quick else 60),
     [("arrivals", "begun of 5,000 arrivals/s over 4 agents"), ("of_plan", "… begun ÷ planned (aim: 1)"), ("dropped", "… dropped"),
      ("worst_second_percent", "… the second that is farthest from the plan, % (aim: ≤ 1)"), ("late_p99_ms", "… late by p99 ms")]),
    ("stop", lambda quick: measure_stop(10000),
     [("stop_ms", "tutti stop of 10,000 workers on 4 agents, ms (aim: < 2,000)"),
      ("start_ms", "… tutti start until all are in their step, ms")]),
    ("idle", lambda quick: measure_idle(10000 if quick else 100000),
     [("bytes_each_all_in", "bytes for an idle worker, all in (aim: ≤ 4,000)"), ("bytes_each", "… beyond the first"),
      ("agent_mb", "the agent, MB")]),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("only", nargs="*", help=" ".join(name for name, _, _ in BENCHES))
    asked = parser.parse_args()
    results = {}
    for name, bench, rows in BENCHES:
        if asked.only and name not in asked.only:
            continue
        result = bench(asked.quick)
        if result is None:
            continue
        results[name] = result
        for key, label in rows:
            print(f"{name:8} {label:60} {results[name][key]:14,.2f}", flush=True)
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
