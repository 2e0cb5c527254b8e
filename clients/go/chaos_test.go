//go:build gateway

package porthouse_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	porthouse "github.com/porthouse/porthouse/clients/go"
	"github.com/porthouse/porthouse/clients/go/internal/hub"
)

// Whatever is cut and whenever, each of several listeners that overlap hears each message once and
// in order. The loop over all has them as the listeners come to them, each once as well.
func TestChaos(t *testing.T) {
	h := hub.Open(t)
	address := h.Room("hall", windowed())
	w := newWire(t, h.URL)
	anna := connect(t, w.URL, h.Token("", address), atOnce())
	say := join(t, connect(t, h.URL, h.Token("", address)), address, porthouse.SendOnly())
	channels := []string{"", "a", "a/b", "c"}
	hears := map[string]func(string) bool{
		"":      func(string) bool { return true },
		"/a":    func(channel string) bool { return channel == "a" },
		"/a/**": func(channel string) bool { return channel == "a/b" },
		"/*":    func(channel string) bool { return channel == "a" || channel == "c" },
	}
	all := pull(t, anna.Messages(testContext(t)))
	loops := map[string]func() porthouse.Message{}
	for suffix := range hears {
		room := join(t, anna, address+suffix)
		loops[suffix] = pull(t, room.Messages(testContext(t)))
	}
	random := rand.New(rand.NewPCG(1, 2))
	var sent []string
	for i := range 300 {
		if random.IntN(15) == 0 {
			w.Cut()
		}
		channel := channels[random.IntN(len(channels))]
		sent = append(sent, channel)
		if _, err := say.SendText(
			testContext(t), fmt.Sprint(i), porthouse.OnChannel(channel)); err != nil {
			t.Fatal(err)
		}
	}
	for suffix, next := range loops {
		for i, channel := range sent {
			if !hears[suffix](channel) {
				continue
			}
			if m := next(); m.Text != fmt.Sprint(i) || m.Lost != nil {
				t.Fatalf("%q hears %q instead of %d, lost %+v", suffix, m.Text, i, m.Lost)
			}
		}
	}
	seen := map[string]bool{}
	for range sent {
		m := all()
		if seen[m.Text] {
			t.Fatalf("%q came twice", m.Text)
		}
		seen[m.Text] = true
	}
}
