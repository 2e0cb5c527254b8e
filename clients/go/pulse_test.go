package porthouse

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// beating is a connection with a heartbeat that is not connected to anything.
func beating(t *testing.T, interval time.Duration) *conn {
	c, err := newClient("ws://gateway.example", newOptions(nil))
	if err != nil {
		t.Fatal(err)
	}
	k := newConn(c)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.establish()
	k.beat(interval)
	t.Cleanup(func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.end()
	})
	return k
}

// after tells, after a time, whether a heartbeat was due since it was last asked, and why the
// connection has ended.
func (k *conn) after(wait time.Duration) (due bool, err error) {
	time.Sleep(wait)
	synctest.Wait()
	k.mu.Lock()
	defer k.mu.Unlock()
	due, k.pulse.due = k.pulse.due, false
	if due {
		k.pulse.spoke = time.Now()
	}
	return due, k.err
}

func TestSilenceIsAskedAboutAndThenTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := beating(t, time.Minute)
		if due, err := k.after(59 * time.Second); due || err != nil {
			t.Errorf("before the interval: %v, %v", due, err)
		}
		if due, err := k.after(2 * time.Second); !due || err != nil {
			t.Errorf("after it: %v, %v", due, err)
		}
		if due, err := k.after(time.Minute); due || !errors.Is(err, CodeHeartbeatTimeout) {
			t.Errorf("after another: %v, %v", due, err)
		}
	})
}

func TestASignOfLifeIsEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := beating(t, time.Minute)
		for range 10 {
			due, err := k.after(61 * time.Second)
			if !due || err != nil {
				t.Fatalf("%v, %v", due, err)
			}
			k.heard()
		}
	})
}

func TestWhoOnlyListensSpeaksAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := beating(t, time.Minute)
		beats := 0
		for range 100 {
			due, err := k.after(10 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if due {
				beats++
			}
			k.heard()
		}
		if beats < 13 || beats > 16 {
			t.Errorf("%d heartbeats in a thousand seconds", beats)
		}
	})
}

func TestBackoff(t *testing.T) {
	b := backoff{base: 250 * time.Millisecond, limit: 20 * time.Second}
	for attempt := range 100 {
		bound := 20 * time.Second
		if attempt < 7 {
			bound = min(bound, 250*time.Millisecond<<attempt)
		}
		if wait := b.next(); wait < 0 || wait >= bound {
			t.Errorf("attempt %d waits for %v", attempt, wait)
		}
	}
	b.reset()
	if wait := b.next(); wait >= 250*time.Millisecond {
		t.Errorf("after a reset it waits for %v", wait)
	}
	if none := (&backoff{}).next(); none != 0 {
		t.Errorf("of nothing it waits for %v", none)
	}
}
