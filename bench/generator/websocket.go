package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"syscall"
	"time"
)

// Opcodes of RFC 6455, section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opPing         = 0x9
	opPong         = 0xa
)

// maskKey is the same for every frame: servers unmask whatever it is, and nothing here needs
// secrecy.
const maskKey = 0x6bd59a35

type frame struct {
	opcode  byte
	final   bool
	payload []byte
}

// parseFrame takes an unmasked frame off the front of data. Size 0: it is not whole yet.
func parseFrame(data []byte) (f frame, size int) {
	if len(data) < 2 {
		return f, 0
	}
	head, length := 2, int(data[1]&0x7f)
	switch length {
	case 126:
		if len(data) < 4 {
			return f, 0
		}
		head, length = 4, int(binary.BigEndian.Uint16(data[2:]))
	case 127:
		if len(data) < 10 {
			return f, 0
		}
		head, length = 10, int(binary.BigEndian.Uint64(data[2:]))
	}
	if len(data)-head < length {
		return f, 0
	}
	f = frame{data[0] & 0x0f, data[0]&0x80 != 0, data[head : head+length]}
	return f, head + length
}

// send queues one masked frame made of parts.
func (c *conn) send(opcode byte, parts ...[]byte) {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	c.out = append(c.out, 0x80|opcode)
	switch {
	case length < 126:
		c.out = append(c.out, 0x80|byte(length))
	case length < 1<<16:
		c.out = append(c.out, 0x80|126, byte(length>>8), byte(length))
	default:
		c.out = append(c.out, 0x80|127)
		c.out = binary.BigEndian.AppendUint64(c.out, uint64(length))
	}
	c.out = binary.LittleEndian.AppendUint32(c.out, maskKey)
	start := len(c.out)
	for _, part := range parts {
		c.out = append(c.out, part...)
	}
	mask(c.out[start:])
	c.touch()
}

func mask(data []byte) {
	const wide = uint64(maskKey)<<32 | maskKey
	for len(data) >= 8 {
		binary.LittleEndian.PutUint64(data, binary.LittleEndian.Uint64(data)^wide)
		data = data[8:]
	}
	for i := range data {
		data[i] ^= byte(uint32(maskKey) >> (i % 4 * 8))
	}
}

// handshakeLimit bounds each step of a connection's opening.
const handshakeLimit = 5 * time.Second

// call opens a connection, with a receive buffer of that many bytes where it is not 0, and asks for
// the upgrade. It blocks, as nothing is measured yet.
func call(l *loop, address netip.AddrPort, index int, codec codec, owner owner, buffer int) (
	*conn, error,
) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	limit := syscall.NsecToTimeval(int64(handshakeLimit))
	for _, option := range []int{syscall.SO_RCVTIMEO, syscall.SO_SNDTIMEO} {
		if err := syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, option, &limit); err != nil {
			return nil, fmt.Errorf("setsockopt: %w", err)
		}
	}
	if buffer > 0 {
		err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, buffer)
		if err != nil {
			return nil, fmt.Errorf("setsockopt: %w", err)
		}
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		return nil, fmt.Errorf("setsockopt: %w", err)
	}
	peer := &syscall.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
	if err := syscall.Connect(fd, peer); err != nil {
		return nil, fmt.Errorf("connect to %s: %w", address, err)
	}
	path, _ := codec.upgrade()
	c := &conn{fd: fd, index: index, loop: l, codec: codec, bare: path == "", owner: owner}
	if c.bare {
		return c, nil
	}
	return c, c.ask(address.String())
}

// answered waits until the connection is upgraded, unless it is bare, and has its codec begin.
func (c *conn) answered() error {
	var rest []byte
	if !c.bare {
		var err error
		if rest, err = c.shake(); err != nil {
			return fmt.Errorf("connection %d: %w", c.index, err)
		}
	}
	if err := syscall.SetNonblock(c.fd, true); err != nil {
		return err
	}
	if err := c.loop.add(c); err != nil {
		return err
	}
	c.codec.enter(c)
	if err := c.consume(rest); err != nil {
		return err
	}
	return c.flush()
}

// ask begins the handshake of RFC 6455, section 4.1.
func (c *conn) ask(host string) error {
	path, subprotocol := c.codec.upgrade()
	request := "GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nUpgrade: websocket\r\n" +
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: cG9ydGhvdXNlIGJlbmNoLg==\r\n"
	if subprotocol != "" {
		request += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	_, err := syscall.Write(c.fd, []byte(request+"\r\n"))
	return err
}

// shake waits for the end of the handshake, and returns what came after the response.
func (c *conn) shake() ([]byte, error) {
	response := make([]byte, 0, 16<<10)
	for {
		n, err := syscall.Read(c.fd, response[len(response):cap(response)])
		// Go's scheduler sends its threads signals.
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return nil, fmt.Errorf("no response to the upgrade (%d bytes, %v)", n, err)
		}
		response = response[:len(response)+n]
		if head, rest, found := bytes.Cut(response, []byte("\r\n\r\n")); found {
			if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
				return nil, fmt.Errorf("upgrade refused: %.200q", head)
			}
			return rest, nil
		}
	}
}
