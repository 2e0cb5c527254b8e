package porthouse

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/proto"
)

// pipes is a network of one server, in the test's own time.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if end, open := <-p; open {
		return end, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p <- far
	return near, nil
}

// serve has each connection be welcomed and then served by the next of these, until the last.
func serve(t *testing.T, serve ...func(context.Context, *websocket.Conn)) Option {
	p, count := make(pipes), 0
	server := &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
				Subprotocols: []string{subprotocol},
			})
			if err != nil {
				t.Error(err)
				return
			}
			defer ws.CloseNow()
			ctx, next := r.Context(), serve[min(count, len(serve)-1)]
			count++
			_, packet, err := ws.Read(ctx)
			if err != nil {
				return
			}
			if err := eachFrame(packet, func(frame *porthousev1.Frame) error {
				if frame.GetHello() == nil {
					return nil
				}
				return write(ctx, ws, &porthousev1.Frame{
					Id: frame.GetId(), Body: &porthousev1.Frame_Welcome{
						Welcome: &porthousev1.Welcome{Limits: &porthousev1.Limits{}},
					},
				})
			}); err != nil {
				t.Error(err)
			}
			next(ctx, ws)
		})}
	go server.Serve(p)
	transport := &http.Transport{DialContext: p.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return WithHTTPClient(&http.Client{Transport: transport})
}

func write(ctx context.Context, ws *websocket.Conn, frame *porthousev1.Frame) error {
	packet, err := proto.Marshal(&porthousev1.Packet{Frames: []*porthousev1.Frame{frame}})
	if err != nil {
		return err
	}
	return ws.Write(ctx, websocket.MessageBinary, packet)
}

// drops ends a connection by a Drop.
func drops(code Code, retryAfter time.Duration) func(context.Context, *websocket.Conn) {
	return func(ctx context.Context, ws *websocket.Conn) {
		drop := &porthousev1.Drop{
			Code: porthousev1.Code(code), RetryAfterMs: uint32(retryAfter.Milliseconds()),
		}
		_ = write(ctx, ws, &porthousev1.Frame{Body: &porthousev1.Frame_Drop{Drop: drop}})
		ws.Close(websocket.StatusCode(code.closeStatus()), "")
	}
}

func closes(status websocket.StatusCode) func(context.Context, *websocket.Conn) {
	return func(_ context.Context, ws *websocket.Conn) { ws.Close(status, "") }
}

// reads is a gateway that lives until the client goes.
func reads(ctx context.Context, ws *websocket.Conn) {
	for {
		if _, _, err := ws.Read(ctx); err != nil {
			return
		}
	}
}

// inPipes connects to a server of pipes, and gives what happens from then on.
func inPipes(t *testing.T, server Option) (*Client, func() Event) {
	t.Helper()
	client, err := Connect(t.Context(), "ws://gateway.example", server)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan Event)
	go func() {
		defer close(events)
		for event := range client.Events(context.Background()) {
			events <- event
		}
	}()
	return client, func() Event { return <-events }
}

func TestNotBeforeRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, next := inPipes(t, serve(t, drops(CodeDraining, 5*time.Second), reads))
		start := time.Now()
		if dropped := next().(Dropped); dropped.Err.Code != CodeDraining {
			t.Errorf("%+v", dropped)
		}
		lost := next().(Reconnecting)
		if lost.Attempt != 1 || lost.Err.Code != CodeDraining ||
			lost.Delay < 5*time.Second || lost.Delay >= 5250*time.Millisecond {
			t.Errorf("%+v", lost)
		}
		if _, ok := next().(Reconnected); !ok || time.Since(start) < 5*time.Second {
			t.Errorf("back after %v", time.Since(start))
		}
		client.Close()
		if closed := next().(Closed); closed.Err != nil {
			t.Errorf("%+v", closed)
		}
	})
}

func TestOnlySomeEndsAreForGood(t *testing.T) {
	for _, test := range []struct {
		name string
		ends func(context.Context, *websocket.Conn)
		// 0: it comes back.
		code Code
	}{
		{"going away", closes(1001), 0},
		{"restart", closes(1012), 0},
		{"a new code that passes", closes(4499), 0},
		{"a new code that does not", closes(4500), CodeClosed},
		{"in order", closes(1000), CodeClosed},
		{"kicked", drops(CodeKicked, 0), CodeKicked},
		{"revoked, by its close code", closes(websocket.StatusCode(CodeRevoked.closeStatus())),
			CodeRevoked},
		{"slow", drops(CodeSlowConsumer, 0), 0},
		{"a code that is new", func(ctx context.Context, ws *websocket.Conn) {
			drop := &porthousev1.Drop{Code: 9999}
			_ = write(ctx, ws, &porthousev1.Frame{Body: &porthousev1.Frame_Drop{Drop: drop}})
			ws.Close(4400, "")
		}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			client, next := inPipes(t, serve(t, test.ends, reads))
			defer client.Close()
			for {
				switch event := next().(type) {
				case Reconnected:
					if test.code != 0 {
						t.Errorf("%s: it comes back", test.name)
					}
				case Closed:
					if test.code == 0 || !errors.Is(event.Err, test.code) {
						t.Errorf("%s: %v", test.name, event.Err)
					}
				default:
					continue
				}
				break
			}
			client.Close()
			for next() != nil {
			}
		})
	}
}

func TestWaitsGrowAndAClientThatIsClosedWaitsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, next := inPipes(t, serve(t, closes(1012)))
		var longest time.Duration
		for attempt := 1; attempt <= 20; {
			if lost, ok := next().(Reconnecting); ok {
				if lost.Attempt != attempt {
					t.Errorf("attempt %d, not %d", lost.Attempt, attempt)
				}
				longest = max(longest, lost.Delay)
				attempt++
			}
		}
		if longest < 5*time.Second || longest > 20*time.Second {
			t.Errorf("the longest of twenty waits is %v", longest)
		}
		start := time.Now()
		client.Close()
		if waited := time.Since(start); waited > closeWait {
			t.Errorf("closed after %v", waited)
		}
		for next() != nil {
		}
	})
}

// promises is a gateway that lets join, and then keeps the past that it has promised to itself.
func promises(ctx context.Context, ws *websocket.Conn) {
	for {
		_, packet, err := ws.Read(ctx)
		if err != nil {
			return
		}
		_ = eachFrame(packet, func(frame *porthousev1.Frame) error {
			join := frame.GetRoom().GetJoin()
			if join == nil {
				return nil
			}
			answer := roomFrame(&porthousev1.Room{Action: &porthousev1.Room_Joined{
				Joined: &porthousev1.Joined{
					Route: 1, Address: join.GetAddress(), Epoch: 1, Sequence: 5, Listening: true,
					Backlog: &porthousev1.Backlog{Recovered: true},
				},
			}})
			answer.Id = frame.GetId()
			return write(ctx, ws, answer)
		})
	}
}

func TestAPastThatIsPromisedAndNeverComesEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, next := inPipes(t, serve(t, promises))
		if _, err := client.Join(t.Context(), "acme/board", SinceStart()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		lost := next().(Reconnecting)
		if lost.Err.Code != CodeUnavailable || time.Since(start) < pastWait {
			t.Errorf("%+v after %v", lost, time.Since(start))
		}
		go client.Close()
		for next() != nil {
		}
	})
}
