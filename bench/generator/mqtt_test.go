package main

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// said takes what a connection has queued.
func said(c *conn) string {
	out := hex.EncodeToString(c.out)
	c.out = nil
	return out
}

// hear gives a connection what a server sends, as it comes from the socket.
func hear(t *testing.T, c *conn, packets string) error {
	t.Helper()
	data, err := hex.DecodeString(strings.ReplaceAll(packets, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return c.consume(data)
}

func speakMqtt(t *testing.T, r role) (*conn, *listener) {
	t.Helper()
	r.room = "w1"
	c, owner := speak(&mqttCodec{role: r})
	c.bare, c.index = true, 7
	c.codec.enter(c)
	return c, owner
}

const (
	connack = "20020000"
	topic   = "0008" + "62656e63682f7731" // bench/w1
)

func TestMqttEnters(t *testing.T) {
	// MQTT, level 4; then flags, keep alive, and the client id bench-7.
	connect := func(length, flags string) string {
		return "10" + length + "00044d51545404" + flags + "0258" + "000762656e63682d37"
	}
	for name, test := range map[string]struct {
		role                 role
		connect, then, reply string
	}{
		"who only sends": {role{}, connect("13", "02"), "", ""},
		"who listens": {role{listens: true}, connect("13", "02"),
			"820d0001" + topic + "00", "9003000100"},
		"with QoS 1": {role{listens: true, acknowledges: true}, connect("13", "02"),
			"820d0001" + topic + "01", "9003000101"},
		"who logs in": {role{user: "ab", password: "c"},
			connect("1a", "c2") + "00026162" + "000163", "", ""},
	} {
		c, _ := speakMqtt(t, test.role)
		if got := said(c); got != test.connect {
			t.Errorf("%s: connects by %s, want %s", name, got, test.connect)
		}
		if err := hear(t, c, connack); err != nil || c.isIn == test.role.listens {
			t.Errorf("%s: %v after CONNACK", name, err)
		}
		if got := said(c); got != test.then {
			t.Errorf("%s: goes on by %s, want %s", name, got, test.then)
		}
		if err := hear(t, c, test.reply); err != nil || !c.isIn {
			t.Errorf("%s: %v, is not in", name, err)
		}
	}
}

func TestMqttPublishes(t *testing.T) {
	for _, test := range []struct {
		acknowledged bool
		number       uint32
		want         string
	}{
		{false, 1, "300c" + topic + "6869"},
		{true, 1, "320e" + topic + "0001" + "6869"},
		{true, 65_535, "320e" + topic + "ffff" + "6869"},
		{true, 65_536, "320e" + topic + "0001" + "6869"},
	} {
		c, _ := speakMqtt(t, role{acknowledged: test.acknowledged})
		said(c)
		c.codec.publish(c, []byte("hi"), test.number)
		if got := said(c); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
	c, _ := speakMqtt(t, role{})
	said(c)
	c.codec.publish(c, bytes.Repeat([]byte("x"), 300), 1)
	if got := said(c); !strings.HasPrefix(got, "30b602"+topic+"7878") || len(got) != 2*(3+10+300) {
		t.Errorf("300 bytes: %.40s…", got)
	}
}

func TestMqttReceives(t *testing.T) {
	listens, both := role{listens: true}, role{listens: true, acknowledges: true}
	for name, test := range map[string]struct {
		role                     role
		packet, told, then, fail string
	}{
		"QoS 0":             {listens, "300c" + topic + "6869", "hi", "", ""},
		"retained":          {listens, "310c" + topic + "6869", "", "", "bad"},
		"another topic":     {listens, "300400017831", "", "", "topic"},
		"QoS 1 unasked for": {listens, "320e" + topic + "00056869", "", "", "bad"},
		"QoS 1":             {both, "320e" + topic + "01056869", "hi", "40020105", ""},
		"QoS 1 again":       {both, "3a0e" + topic + "01056869", "", "", "bad"},
		"QoS 1, id 0":       {both, "320e" + topic + "00006869", "", "", "bad"},
		"PUBACK":            {role{acknowledged: true}, "40020001 40020002", "1,2", "", ""},
		"PUBACK of none":    {role{acknowledged: true}, "40020002", "", "", "next"},
		"CONNACK again":     {role{}, connack, "", "", "unexpected"},
		"an endless length": {role{}, "30ffffffff01", "", "", "remaining length"},
	} {
		c, owner := speakMqtt(t, test.role)
		c.isIn = true
		said(c)
		err := hear(t, c, test.packet)
		if test.fail != "" {
			if err == nil || !strings.Contains(err.Error(), test.fail) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if got := strings.Join(owner.told, ","); err != nil || got != test.told {
			t.Errorf("%s: %v, told %q", name, err, got)
		}
		if got := said(c); got != test.then {
			t.Errorf("%s: answered %q", name, got)
		}
	}
}

func TestMqttIsRefused(t *testing.T) {
	for _, answers := range []string{
		"20020005", "20020100", connack + "9003000180", connack + "9003000201",
	} {
		c, _ := speakMqtt(t, role{listens: true})
		if hear(t, c, answers) == nil {
			t.Errorf("%s counts as being in", answers)
		}
	}
}

func TestMqttPacketsMayBeCutAnywhere(t *testing.T) {
	long := strings.Repeat("61", 200)
	stream, _ := hex.DecodeString(connack + "9003000100" + "300c" + topic + "6869" +
		"30d201" + topic + long + "300a" + topic)
	for size := 1; size <= len(stream); size++ {
		c, owner := speakMqtt(t, role{listens: true})
		for rest := stream; len(rest) > 0; {
			n := min(size, len(rest))
			if err := c.consume(append(bytes.Clone(c.partial), rest[:n]...)); err != nil {
				t.Fatal(err)
			}
			// As receive has it: what was kept is in front of what is read next.
			rest = rest[n:]
		}
		if got := strings.Join(owner.told, ","); got != "hi,"+strings.Repeat("a", 200)+"," {
			t.Fatalf("in pieces of %d: %.30q", size, got)
		}
	}
}
