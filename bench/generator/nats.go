package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// natsCodec speaks the NATS client protocol in binary WebSocket messages. The stream pays no heed
// to message bounds: what arrives is gathered until an operation is whole. Publishes to a JetStream
// stream name an inbox, and each is acknowledged by a message there.
type natsCodec struct {
	role    role
	pending []byte
	// okays counts the +OK of verbose mode; those up to isIn answer CONNECT.
	okays uint32
}

func (n *natsCodec) upgrade() (path, subprotocol string) { return "/", "" }

// enter waits for INFO.
func (n *natsCodec) enter(*conn) {}

func (n *natsCodec) publish(c *conn, payload []byte, number uint32) {
	var head [64]byte
	operation := append(head[:0], "PUB "...)
	operation = append(append(operation, n.role.room...), ' ')
	if n.role.receipt != "" {
		operation = append(strconv.AppendInt(append(operation, inbox...), int64(c.index), 10), '.')
		operation = append(strconv.AppendUint(operation, uint64(number), 10), ' ')
	}
	operation = strconv.AppendInt(operation, int64(len(payload)), 10)
	c.send(opBinary, append(operation, "\r\n"...), payload, crlf)
}

var crlf = []byte("\r\n")

const inbox = "_INBOX."

func (n *natsCodec) receive(c *conn, message []byte, _ bool) error {
	if len(n.pending) > 0 {
		n.pending = append(n.pending, message...)
		message = n.pending
	}
	for len(message) > 0 {
		size, err := n.operation(c, message)
		if err != nil {
			return err
		}
		if size == 0 {
			break
		}
		message = message[size:]
	}
	n.pending = append(n.pending[:0], message...)
	return nil
}

// operation handles the first operation in data and returns its size, 0 where it is not whole.
func (n *natsCodec) operation(c *conn, data []byte) (int, error) {
	end := bytes.IndexByte(data, '\n')
	if end < 1 {
		return 0, nil
	}
	line := data[:end-1]
	switch {
	case bytes.HasPrefix(line, []byte("MSG ")):
		return n.message(c, line, data[end+1:])
	case string(line) == "+OK":
		n.okays++
		if c.isIn {
			return end + 1, c.owner.acknowledged(c, n.okays)
		}
	case string(line) == "PONG":
		c.isIn, n.okays = true, 0
	case string(line) == "PING":
		c.send(opBinary, []byte("PONG\r\n"))
	case bytes.HasPrefix(line, []byte("INFO ")):
		n.greet(c)
	default:
		return 0, fmt.Errorf("unexpected operation %.100q", line)
	}
	return end + 1, nil
}

// message takes `MSG subject sid size` and, from rest, the payload with its line end.
func (n *natsCodec) message(c *conn, line, rest []byte) (int, error) {
	size := 0
	for _, digit := range line[bytes.LastIndexByte(line, ' ')+1:] {
		size = size*10 + int(digit-'0')
	}
	if len(rest) < size+2 {
		return 0, nil
	}
	taken, body := len(line)+2+size+2, rest[:size]
	if n.role.receipt == "" {
		return taken, c.owner.delivered(c, body)
	}
	number, err := storedNumber(line, body)
	if err != nil {
		return 0, err
	}
	return taken, c.owner.acknowledged(c, number)
}

// storedNumber reads a stream's acknowledgement, `MSG _INBOX.{connection}.{number} …`.
func storedNumber(line, body []byte) (number uint32, err error) {
	if bytes.Contains(body, []byte(`"error"`)) || !bytes.Contains(body, []byte(`"seq":`)) {
		return 0, fmt.Errorf("not stored: %.200q", body)
	}
	subject := line[len("MSG "):]
	subject = subject[:bytes.IndexByte(subject, ' ')]
	for _, digit := range subject[bytes.LastIndexByte(subject, '.')+1:] {
		number = number*10 + uint32(digit-'0')
	}
	return number, nil
}

// greet may be asked for twice: the server tells changes by another INFO.
func (n *natsCodec) greet(c *conn) {
	if c.isIn {
		return
	}
	c.send(opBinary, fmt.Appendf(nil, `CONNECT {"verbose":%t,"pedantic":false,"echo":false,`+
		`"lang":"go","version":"0","protocol":1}`+"\r\n", n.role.acknowledged && n.role.receipt == ""))
	if n.role.receipt != "" {
		c.send(opBinary, fmt.Appendf(nil, "SUB %s%d.* 1\r\n", inbox, c.index))
	}
	if n.role.listens {
		c.send(opBinary, []byte("SUB "+n.role.room+" 1\r\n"))
	}
	c.send(opBinary, []byte("PING\r\n"))
}
