package porthouse_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// A wire is a way to a gateway that can be cut.
type wire struct {
	// URL of the near end.
	URL      string
	listener net.Listener
	far      string

	mu    sync.Mutex
	ends  map[net.Conn]bool
	dead  bool
	tasks sync.WaitGroup
}

func newWire(t *testing.T, url string) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{
		URL:      "ws://" + listener.Addr().String(),
		listener: listener,
		far:      strings.TrimPrefix(url, "ws://"),
		ends:     map[net.Conn]bool{},
	}
	w.tasks.Go(w.accept)
	t.Cleanup(func() {
		listener.Close()
		w.Cut()
		w.tasks.Wait()
	})
	return w
}

func (w *wire) accept() {
	for {
		near, err := w.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", w.far)
		w.mu.Lock()
		if err != nil || w.dead {
			near.Close()
			if far != nil {
				far.Close()
			}
			w.mu.Unlock()
			continue
		}
		w.ends[near], w.ends[far] = true, true
		w.tasks.Go(func() { w.copy(near, far) })
		w.tasks.Go(func() { w.copy(far, near) })
		w.mu.Unlock()
	}
}

func (w *wire) copy(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	to.Close()
	from.Close()
}

// Cut ends all connections, as a lost network does.
func (w *wire) Cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for end := range w.ends {
		end.Close()
	}
	clear(w.ends)
}

// Down cuts and refuses all connections; Up lets them through again.
func (w *wire) Down() {
	w.mu.Lock()
	w.dead = true
	w.mu.Unlock()
	w.Cut()
}

func (w *wire) Up() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead = false
}
