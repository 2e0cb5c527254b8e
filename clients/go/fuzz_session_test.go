package porthouse_test

import (
	"errors"
	"testing"

	"github.com/porthouse/porthouse/clients/go"
	"github.com/porthouse/porthouse/clients/go/internal/peer"
)

// Whatever a gateway says to a client that is in a room, the client ends with a stated error.
func FuzzSession(f *testing.F) {
	for _, packet := range []string{
		"", "0a05", "0a0742051203ff", "0a042a022a00", "0a043a020a00", "0a0422021a00",
	} {
		f.Add(unhex(packet))
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		talk := peer.New(t).Connect(t, porthouse.WithReconnect(false))
		talk.Room("acme/boiler")
		talk.Line.SendBytes(packet)
		talk.Line.Close(4500)
		var failed *porthouse.Error
		if err := closed(t, talk.Client); !errors.As(err, &failed) {
			t.Errorf("closed by %v", err)
		}
	})
}
