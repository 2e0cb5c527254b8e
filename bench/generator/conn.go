package main

import (
	"fmt"
	"syscall"
)

// conn is one connection of the generator: a WebSocket, or bare.
type conn struct {
	fd    int
	index int
	loop  *loop
	codec codec
	// bare: the codec frames its packets itself, as MQTT does, and nothing is upgraded.
	bare bool
	// owner is told what arrives.
	owner owner
	// partial is the beginning of a frame whose rest has not arrived.
	partial []byte
	out     []byte
	sent    int
	dirty   bool
	blocked bool
	// ponged: a pong is among what is queued.
	ponged bool
	// isIn is set by the codec once the server has confirmed the room.
	isIn bool
}

// owner is a workload, seen by its connections.
type owner interface {
	// delivered gets a message's payload, valid during the call.
	delivered(c *conn, payload []byte) error
	// acknowledged gets the number of an acknowledged publish: 1 for a connection's first.
	acknowledged(c *conn, number uint32) error
}

// codec is one peer's protocol, on one connection.
type codec interface {
	// upgrade names the path and the subprotocol, if any, of the WebSocket handshake; without a path
	// it speaks MQTT on the bare connection.
	upgrade() (path, subprotocol string)
	// enter queues what is to be said first.
	enter(c *conn)
	// publish queues a message; number counts the connection's publishes from 1.
	publish(c *conn, payload []byte, number uint32)
	// receive takes one WebSocket message, or a piece of one where final is false; or an MQTT packet.
	receive(c *conn, message []byte, final bool) error
}

func (c *conn) touch() {
	if !c.dirty && !c.blocked {
		c.dirty = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
}

// flush writes what is queued; what the kernel does not take waits for EPOLLOUT.
func (c *conn) flush() error {
	c.dirty = false
	for c.sent < len(c.out) {
		n, errno := write(c.fd, c.out[c.sent:])
		if errno == syscall.EAGAIN {
			if !c.blocked {
				c.blocked = true
				return c.loop.watch(c.fd, syscall.EPOLLIN|syscall.EPOLLOUT, syscall.EPOLL_CTL_MOD)
			}
			return nil
		}
		if errno != 0 {
			return fmt.Errorf("connection %d: write: %w", c.index, errno)
		}
		c.sent += n
		c.loop.calls++
	}
	c.out, c.sent = c.out[:0], 0
	if c.ponged {
		c.ponged = false
		if err := acknowledgeWhenRead(c.fd); err != nil {
			return err
		}
	}
	if c.blocked {
		c.blocked = false
		return c.loop.watch(c.fd, syscall.EPOLLIN, syscall.EPOLL_CTL_MOD)
	}
	return nil
}

// acknowledgeWhenRead has the kernel acknowledge what comes when it is read, on the generator's
// core, as it does until the first answer. For one who has answered something it waits for every
// second segment instead, and acknowledges that as it comes: over loopback amid the write, on the
// server's account.
func acknowledgeWhenRead(fd int) error {
	err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	if err != nil {
		return fmt.Errorf("setsockopt: %w", err)
	}
	return nil
}

// receive reads once and hands on each whole frame; the loop's buffer is shared by all connections.
func (c *conn) receive() error {
	kept := len(c.partial)
	if kept*2 > len(c.loop.buffer) {
		if kept >= readBytesMax {
			return fmt.Errorf("connection %d: a frame over %d bytes", c.index, readBytesMax)
		}
		c.loop.buffer = make([]byte, len(c.loop.buffer)*2)
	}
	buffer := c.loop.buffer
	n, errno := read(c.fd, buffer[kept:])
	if errno == syscall.EAGAIN {
		return nil
	}
	if errno != 0 {
		return fmt.Errorf("connection %d: read: %w", c.index, errno)
	}
	if n == 0 {
		return fmt.Errorf("connection %d: closed by the server", c.index)
	}
	c.loop.calls++
	c.loop.clock()
	copy(buffer, c.partial)
	return c.consume(buffer[:kept+n])
}

func (c *conn) consume(data []byte) error {
	for {
		size, err := c.take(data)
		if err != nil {
			return fmt.Errorf("connection %d: %w", c.index, err)
		}
		if size == 0 {
			c.partial = append(c.partial[:0], data...)
			return nil
		}
		data = data[size:]
	}
}

// take handles what stands whole at the front of data, and gives its size.
func (c *conn) take(data []byte) (size int, err error) {
	if c.bare {
		if size, err = packetSize(data); size > 0 {
			err = c.codec.receive(c, data[:size], true)
		}
		return size, err
	}
	frame, size := parseFrame(data)
	if size == 0 {
		return 0, nil
	}
	return size, c.handle(frame)
}

func (c *conn) handle(f frame) error {
	switch f.opcode {
	case opContinuation, opText, opBinary:
		return c.codec.receive(c, f.payload, f.final)
	case opPing:
		c.send(opPong, f.payload)
		c.ponged = true
		return nil
	case opPong:
		return nil
	default:
		return fmt.Errorf("closed by the server: %q", f.payload)
	}
}
