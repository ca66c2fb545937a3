import os
import subprocess
import sys

NOISE = """
import ctypes, logging, os, subprocess, sys, threading
from dsct_gym.streams import stdout_to_stderr

logging.basicConfig(stream=sys.stdout)
libc = ctypes.CDLL(None)

def speak(what):
    print("print", what)
    os.write(1, f"write {what}\\n".encode())
    libc.puts(f"puts {what}".encode())
    subprocess.run(["echo", "echo", what], check=True)

print("before")
libc.puts(b"C before")
with stdout_to_stderr():
    speak("outer")
    with stdout_to_stderr():
        speak("inner")
    speak("outer again")
    try:
        with stdout_to_stderr():
            raise ValueError
    except ValueError:
        speak("after an error")
print("between")
sys.stdout.flush()

# Two threads whose times overlap: it ends with the last.
first, second = threading.Event(), threading.Event()
def other():
    with stdout_to_stderr():
        first.set()
        second.wait()
        speak("thread")
thread = threading.Thread(target=other)
with stdout_to_stderr():
    thread.start()
    first.wait()
second.set()
thread.join()
libc.puts(b"C after")
print("after")
"""


def run(code: str) -> tuple[str, str]:
    # Unbuffered Python takes the buffers of C along, where text can hide.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-c", code]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, env=env)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout, ran.stderr


def test_only_results_are_left_on_stdout() -> None:
    out, told = run(NOISE)
    assert sorted(out.split("\n")) == sorted(
        ["before", "C before", "between", "C after", "after", ""]
    )
    for what in ("outer", "inner", "outer again", "after an error", "thread"):
        for how in ("print", "write", "puts", "echo"):
            assert f"{how} {what}\n" in told


def test_nothing_to_divert_where_stdout_is_closed() -> None:
    code = """
import os, sys
from dsct_gym.streams import stdout_to_stderr
os.close(1)
with stdout_to_stderr():
    os.write(2, b"sound")
sys.stdout = None
with stdout_to_stderr():
    pass
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stderr.startswith("sound")
