package main

import (
	"bytes"
	"testing"
)

// unsent takes the one masked frame that a connection has queued, as a server would.
func unsent(t *testing.T, c *conn) []byte {
	t.Helper()
	length, head := int(c.out[1]&0x7f), 2
	if length == 126 {
		length, head = int(c.out[2])<<8|int(c.out[3]), 4
	}
	if c.out[1]&0x80 == 0 || len(c.out) != head+4+length {
		t.Fatalf("not one masked frame: %x", c.out)
	}
	key, payload := c.out[head:head+4], c.out[head+4:]
	for i := range payload {
		payload[i] ^= key[i%4]
	}
	c.out = nil
	return payload
}

func TestFramesAreMaskedWhateverTheirLength(t *testing.T) {
	for _, size := range []int{0, 1, 3, 7, 8, 21, 125, 126, 500} {
		c := &conn{loop: &loop{}}
		want := bytes.Repeat([]byte("x"), size)
		c.send(opBinary, want[:size/2], want[size/2:])
		if got := unsent(t, c); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %q", size, got)
		}
	}
}

func TestAFrameIsTakenOnlyWhenItIsWhole(t *testing.T) {
	for _, size := range []int{0, 5, 125, 126, 70_000} {
		data := []byte{0x82, byte(size)}
		switch {
		case size > 65_535:
			data = []byte{0x82, 127, 0, 0, 0, 0, 0, byte(size >> 16), byte(size >> 8), byte(size)}
		case size > 125:
			data = []byte{0x82, 126, byte(size >> 8), byte(size)}
		}
		data = append(data, make([]byte, size)...)
		for _, part := range []int{0, 1, len(data) / 2, len(data) - 1} {
			if _, taken := parseFrame(data[:part]); taken != 0 {
				t.Errorf("%d bytes: taken from %d", size, part)
			}
		}
		f, taken := parseFrame(append(data, 0x82))
		if taken != len(data) || len(f.payload) != size || f.opcode != opBinary || !f.final {
			t.Errorf("%d bytes: got %d, %d", size, taken, len(f.payload))
		}
	}
}
