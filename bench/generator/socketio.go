package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// socketioCodec speaks Engine.IO 4 and Socket.IO 5 over WebSocket, one text frame a packet, with
// the server in peers/socketio.ts: events "join" (room, listens) and "m" (payload).
type socketioCodec struct{ role role }

// Packets: an Engine.IO digit (0 open, 2 ping, 3 pong, 4 message), in a message a Socket.IO digit
// (0 connect, 2 event, 3 acknowledgement).
var (
	socketioEvent    = []byte(`42["m","`)
	socketioEventEnd = []byte(`"]`)
	socketioAck      = []byte(`43`)
)

func (s *socketioCodec) upgrade() (path, subprotocol string) {
	return "/socket.io/?EIO=4&transport=websocket", ""
}

func (s *socketioCodec) enter(*conn) {}

func (s *socketioCodec) publish(c *conn, payload []byte, number uint32) {
	if !s.role.acknowledged {
		c.send(opText, socketioEvent, payload, socketioEventEnd)
		return
	}
	var head [24]byte
	packet := append(head[:0], "42"...)
	packet = strconv.AppendUint(packet, uint64(number), 10)
	c.send(opText, append(packet, `["m","`...), payload, socketioEventEnd)
}

func (s *socketioCodec) receive(c *conn, message []byte, final bool) error {
	switch {
	case !final:
		return errFragmented
	case bytes.HasPrefix(message, socketioEvent) && bytes.HasSuffix(message, socketioEventEnd):
		payload := message[len(socketioEvent) : len(message)-len(socketioEventEnd)]
		return c.owner.delivered(c, payload)
	case bytes.HasPrefix(message, socketioAck):
		return s.acknowledge(c, message[len(socketioAck):])
	case len(message) > 0 && message[0] == '0':
		c.send(opText, []byte("40"))
	case len(message) > 1 && message[0] == '4' && message[1] == '0':
		c.send(opText, fmt.Appendf(nil, `420["join",%q,%t]`, s.role.room, s.role.listens))
	case len(message) == 1 && message[0] == '2':
		c.send(opText, []byte("3"))
	default:
		return fmt.Errorf("unexpected packet %.100q", message)
	}
	return nil
}

// acknowledge takes `{number}[]`; number 0 is the answer to "join".
func (s *socketioCodec) acknowledge(c *conn, rest []byte) error {
	number := uint32(0)
	for len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
		number, rest = number*10+uint32(rest[0]-'0'), rest[1:]
	}
	if string(rest) != "[]" {
		return fmt.Errorf("unexpected acknowledgement %.100q", rest)
	}
	if number == 0 {
		c.isIn = true
		return nil
	}
	return c.owner.acknowledged(c, number)
}
