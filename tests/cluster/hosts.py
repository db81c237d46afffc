"""Hosts as network namespaces, on a switch of their own: each has an address, a cable that can be pulled, and a packet filter.

The test process moves into a namespace that nobody else has; the switch is a bridge in there, so nothing of all this is seen
outside but the names of the hosts, tutti-…-PID, which are removed at the end, and by the next test if this one was killed."""
import atexit
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import time

SKIPPED = 77
CLONE_NEWNET = 0x40000000
SWITCH = "tutti-switch"


def command(*words, check=True):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=30)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, words))}: {done.stderr.strip()}")
    return done


def skip(need):
    print(f"skipped: needs {need}", flush=True)
    sys.exit(SKIPPED)


def leave_network():
    """This process and its children have a network of their own from here on. Call it before any thread is started."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        skip(f"network namespaces (unshare: {os.strerror(ctypes.get_errno())})")


def need_namespaces():
    """Moves into an empty network, or skips the test, saying what is missing."""
    if os.geteuid() != 0:
        skip("root, to make network namespaces")
    for program, package in (("ip", "iproute2"), ("iptables", "iptables")):
        if shutil.which(program) is None:
            skip(f"{program} (package {package})")
    remove_left_behind()
    leave_network()
    probe = f"tutti-probe-{os.getpid()}"
    try:
        command("ip", "netns", "add", probe)
        command("ip", "link", "add", "tutti-probe", "type", "veth", "peer", "name", "eth0", "netns", probe)
        command("ip", "netns", "exec", probe, "iptables", "-A", "INPUT", "-p", "tcp", "--dport", "1", "-j", "DROP")
        command("ip", "link", "add", "tutti-probed", "type", "bridge")
        command("ip", "link", "del", "tutti-probed")
    except AssertionError as failed:
        skip(f"network namespaces with veth, a bridge and iptables ({failed})")
    finally:
        command("ip", "netns", "del", probe, check=False)


def pids_in(namespace):
    return [int(pid) for pid in command("ip", "netns", "pids", namespace, check=False).stdout.split()]


def remove_namespace(namespace):
    end = time.monotonic() + 10
    while (pids := pids_in(namespace)) and time.monotonic() < end:
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)
    command("ip", "netns", "del", namespace, check=False)


def remove_left_behind():
    """Leftovers of a test that was killed: namespaces whose names contain the id of no running process."""
    for line in command("ip", "netns", "list", check=False).stdout.splitlines():
        found = re.match(r"tutti-\S+-(\d+)\b", line)
        if found and not os.path.exists(f"/proc/{found.group(1)}"):
            remove_namespace(found.group(0))


class Host:
    def __init__(self, network, name, number):
        self.network, self.name = network, name
        self.namespace = f"tutti-{name}-{os.getpid()}"
        self.port = f"port-{number}"
        self.address = f"10.77.0.{number}"

    @property
    def prefix(self):
        return ("ip", "netns", "exec", self.namespace)

    def run(self, *words, check=True):
        return command(*self.prefix, *words, check=check)

    def pids(self):
        return pids_in(self.namespace)

    def pull_cable(self):
        command("ip", "link", "set", self.port, "down")

    def plug_cable(self):
        command("ip", "link", "set", self.port, "up")

    def filter(self, *rule):
        """Adds a rule, like `-A INPUT -p tcp --sport 7440 -j DROP`."""
        self.run("iptables", "-w", *rule)

    def unfilter(self):
        self.run("iptables", "-w", "-F")


class Network:
    """A switch, and hosts of these names on it. Ours is address 10.77.0.254."""

    address = "10.77.0.254"

    def __init__(self, *names):
        self.hosts = {name: Host(self, name, number) for number, name in enumerate(names, 1)}
        atexit.register(self.remove)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        try:
            self.make()
        except BaseException:
            self.remove()
            raise

    def make(self):
        command("ip", "link", "set", "lo", "up")
        command("ip", "link", "add", SWITCH, "type", "bridge")
        command("ip", "addr", "add", f"{self.address}/24", "dev", SWITCH)
        command("ip", "link", "set", SWITCH, "up")
        for host in self.hosts.values():
            command("ip", "netns", "add", host.namespace)
            command("ip", "link", "add", host.port, "type", "veth", "peer", "name", "eth0", "netns", host.namespace)
            command("ip", "link", "set", host.port, "master", SWITCH)
            command("ip", "link", "set", host.port, "up")
            within = ("ip", "-n", host.namespace)
            command(*within, "link", "set", "lo", "up")
            command(*within, "addr", "add", f"{host.address}/24", "dev", "eth0")
            command(*within, "link", "set", "eth0", "up")

    def remove(self):
        atexit.unregister(self.remove)
        for host in self.hosts.values():
            # Otherwise its cable is removed some time after the namespace, and the next network finds the port taken.
            command("ip", "link", "del", host.port, check=False)
            remove_namespace(host.namespace)
        command("ip", "link", "del", SWITCH, check=False)

    def __getitem__(self, name):
        return self.hosts[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()
