package main

import "fmt"

// role is what a connection does in its room.
type role struct {
	room string
	// listens: it gets what others send to the room.
	listens bool
	// acknowledged: each of its publishes is answered.
	acknowledged bool
	// acknowledges: it answers each delivery, where the protocol has that.
	acknowledges bool
	// mqtt: it speaks MQTT, in a workload of two protocols.
	mqtt bool
	// buffer is its receive buffer in bytes, where that is not the system's default.
	buffer int
	// user and password are what it logs in with, where the protocol has them; "" for none.
	user, password string
	// receipt is what an acknowledgement claims: "" that the message is with its hearers, "accepted"
	// or "stored". With nats the latter two are publishes to a stream.
	receipt string
}

// mqtt is any server by its MQTT.
const mqtt = "mqtt"

// newCodec makes the codec of one connection to a peer by its name.
func newCodec(peer string, r role) (codec, error) {
	switch peer {
	case "porthouse":
		return &porthouseCodec{role: r}, nil
	case "ws":
		return &plainCodec{role: r}, nil
	case "socketio":
		return &socketioCodec{role: r}, nil
	case "nats":
		return &natsCodec{role: r}, nil
	case mqtt:
		return &mqttCodec{role: r}, nil
	}
	return nil, fmt.Errorf("no peer %q: porthouse, ws, socketio, nats or mqtt", peer)
}
