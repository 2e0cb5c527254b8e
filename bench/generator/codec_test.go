package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// listener notes what a codec tells its owner.
type listener struct{ told []string }

func (l *listener) delivered(_ *conn, payload []byte) error {
	l.told = append(l.told, string(payload))
	return nil
}

func (l *listener) acknowledged(_ *conn, number uint32) error {
	l.told = append(l.told, fmt.Sprint(number))
	return nil
}

func speak(codec codec) (*conn, *listener) {
	owner := &listener{}
	return &conn{loop: &loop{}, codec: codec, owner: owner}, owner
}

func TestNatsOperationsMayBeCutAnywhere(t *testing.T) {
	stream := "INFO {}\r\nPONG\r\n+OK\r\nMSG w3 1 5\r\nhe\r\no\r\nPING\r\n+OK\r\nMSG w3 1 0\r\n\r\n"
	for size := 1; size <= len(stream); size++ {
		c, owner := speak(&natsCodec{role: role{room: "w3", acknowledged: true}})
		for rest := []byte(stream); len(rest) > 0; {
			n := min(size, len(rest))
			if err := c.codec.receive(c, bytes.Clone(rest[:n]), true); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if got := strings.Join(owner.told, ","); got != "1,he\r\no,2," {
			t.Fatalf("in pieces of %d: %q", size, got)
		}
	}
}

func TestNatsAsksItsStream(t *testing.T) {
	c, owner := speak(&natsCodec{role: role{room: "w6-0", acknowledged: true, receipt: "stored"}})
	c.index = 3
	c.codec.publish(c, []byte("hi"), 17)
	if got := string(unsent(t, c)); got != "PUB w6-0 _INBOX.3.17 2\r\nhi\r\n" {
		t.Errorf("published %q", got)
	}
	answer := func(body string) error {
		operation := fmt.Sprintf("MSG _INBOX.3.17 1 %d\r\n%s\r\n", len(body), body)
		return c.codec.receive(c, []byte(operation), true)
	}
	if err := answer(`{"stream":"W6", "seq":1}`); err != nil || owner.told[0] != "17" {
		t.Errorf("%v, told %q", err, owner.told)
	}
	if answer(`{"error":{"code":503},"stream":"W6","seq":0}`) == nil || len(owner.told) != 1 {
		t.Error("what was refused counts as stored")
	}
}

func TestPorthousePublishes(t *testing.T) {
	for _, test := range []struct {
		acknowledged bool
		want         string
	}{
		// Packet{Frame{envelope{routing{route 7} payload "hi"}}}
		{false, "0a0a" + "2a08" + "0a020807" + "1a026869"},
		// Packet{Frame{id 17 envelope{routing{route 7 receipt ROUTED} payload "hi"}}}
		{true, "0a0e" + "0811" + "2a0a" + "0a0408072002" + "1a026869"},
	} {
		codec := &porthouseCodec{role: role{room: "w1", acknowledged: test.acknowledged}}
		c, _ := speak(codec)
		// Packet{Frame{id 2 room{joined{route 7}}}}
		joined, _ := hex.DecodeString("0a08" + "0802" + "3a04" + "12020807")
		if err := codec.receive(c, joined, true); err != nil || !c.isIn {
			t.Fatal(err)
		}
		codec.publish(c, []byte("hi"), 1)
		if got := hex.EncodeToString(unsent(t, c)); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}

func TestPorthouseReceives(t *testing.T) {
	stamp := "1216" + "0a10" + strings.Repeat("00", 16) + "1807" + "30"
	envelope := func(sequence string) string { return "0a1e2a1c" + stamp + sequence + "1a026869" }
	receipt := func(status string) string {
		return "0a08" + "0811" + "3204" + "08" + status + "1801"
	}
	for name, test := range map[string]struct{ packet, want string }{
		"two envelopes":      {envelope("01") + envelope("02"), "hi,hi"},
		"the same again":     {envelope("01") + envelope("01"), "error"},
		"no stamp":           {"0a062a041a026869", "error"},
		"a receipt":          {receipt("02"), "1"},
		"a void one":         {receipt("04"), "error"},
		"a truncated packet": {"0a06", "error"},
	} {
		codec := &porthouseCodec{route: 7, level: levelRouted}
		c, owner := speak(codec)
		packet, err := hex.DecodeString(test.packet)
		if err != nil {
			t.Fatal(err)
		}
		got := "error"
		if err := codec.receive(c, packet, true); err == nil {
			got = strings.Join(owner.told, ",")
		}
		if got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}
