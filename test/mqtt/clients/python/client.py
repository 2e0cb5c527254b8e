"""A user's client by the paho library of Python.

It connects, subscribes where it is told to, prints what it hears, and publishes what stdin says, a
line `TOPIC MESSAGE` each; stdin's end ends it.
"""

import argparse
import sys
import threading

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

# Bounds each exchange with the gateway, in seconds.
PATIENCE = 20


def say(*words):
    print(*words, flush=True)


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--version", type=int, default=4, help="4 is MQTT 3.1.1")
    parser.add_argument("--qos", type=int, default=0)
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--id", default="")
    parser.add_argument("--filter")
    return parser.parse_args()


class Answers:
    """What the gateway answers, by what it answers."""

    def __init__(self, client):
        self.client = client
        self.came = threading.Condition()
        self.codes = {}
        client.on_connect = lambda _c, _u, _f, code, _p: self.answered("connect", code)
        client.on_subscribe = lambda _c, _u, id, codes, _p: self.answered(id, codes[0])
        client.on_publish = lambda _c, _u, id, code, _p: self.answered(id, code)
        client.on_disconnect = lambda _c, _u, _f, code, _p: self.answered("disconnect", code)

    def answered(self, what, code):
        with self.came:
            self.codes[what] = code
            self.came.notify_all()

    def wait(self, what):
        with self.came:
            over = lambda: what in self.codes or "disconnect" in self.codes
            if not self.came.wait_for(over, PATIENCE):
                sys.exit("no answer in time")
            if what not in self.codes:
                sys.exit(f"disconnected: {self.codes['disconnect']}")
            return self.codes.pop(what).value


def main():
    options = read_options()
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2, client_id=options.id, protocol=options.version
    )
    if options.user is not None:
        client.username_pw_set(options.user, options.password)
    client.on_message = lambda _c, _u, message: say(
        "heard", message.qos, message.topic, message.payload.decode()
    )
    answers = Answers(client)
    client.connect("127.0.0.1", options.port)
    client.loop_start()
    refused = answers.wait("connect")
    if refused:
        sys.exit(f"refused with 0x{refused:02x}")
    say("connected")
    if options.filter:
        _, id = client.subscribe(options.filter, options.qos)
        say("subscribed", answers.wait(id))
    for line in sys.stdin:
        topic, _, message = line.rstrip("\n").partition(" ")
        say("published", answers.wait(client.publish(topic, message, options.qos).mid))
    client.disconnect()
    client.loop_stop()


main()
