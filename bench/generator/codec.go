package main

import "fmt"

// role is what a connection does in its room.
type role struct {
	room string
	// listens: it gets what others send to the room.
	listens bool
	// acknowledged: each of its publishes is answered.
	acknowledged bool
	// receipt is what an acknowledgement claims: "" that the message is with its hearers, "accepted"
	// or "stored". With nats the latter two are publishes to a stream.
	receipt string
}

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
	}
	return nil, fmt.Errorf("no peer %q: porthouse, ws, socketio or nats", peer)
}
