package main

import "errors"

// plainCodec speaks with peers/ws.ts: a message is a payload, the URL names the room, and an
// acknowledgement is the head of the payload.
type plainCodec struct{ role role }

func (p *plainCodec) upgrade() (path, subprotocol string) {
	path = "/" + p.role.room
	switch {
	case p.role.listens:
		return path + "?listen", ""
	case p.role.acknowledged:
		return path + "?acknowledge", ""
	}
	return path, ""
}

// enter has nothing to wait for: the server knows the connection before it answers the handshake.
func (p *plainCodec) enter(c *conn) { c.isIn = true }

func (p *plainCodec) publish(c *conn, payload []byte, _ uint32) { c.send(opBinary, payload) }

func (p *plainCodec) receive(c *conn, message []byte, final bool) error {
	if !final {
		return errFragmented
	}
	if !p.role.acknowledged {
		return c.owner.delivered(c, message)
	}
	number, err := messageNumber(message)
	if err != nil {
		return err
	}
	return c.owner.acknowledged(c, number)
}

var errFragmented = errors.New("a fragmented message")
