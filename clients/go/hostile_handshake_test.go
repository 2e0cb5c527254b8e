package porthouse_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/internal/peer"
)

// answering listens, has each connection send its request, and answers by the function.
func answering(t *testing.T, answer func(net.Conn)) (url string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
					answer(connection)
				}
			}()
		}
	}()
	return "ws://" + listener.Addr().String()
}

func refuses(t *testing.T, url string, want porthouse.Code, options ...porthouse.Option) {
	t.Helper()
	client, err := porthouse.Connect(peer.Context(t), url, options...)
	if err == nil {
		client.Close()
	}
	if !errors.Is(err, want) {
		t.Errorf("%v, want %v", err, want)
	}
	peer.NothingLeft(t)
}

// What does not become a WebSocket ends in a stated error, and is not tried again.
func TestNoHandshake(t *testing.T) {
	unavailable, invalid := porthouse.CodeUnavailable, porthouse.CodeHandshakeInvalid
	problem := "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\n\r\n"
	accepted := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for name, each := range map[string]struct {
		says string
		want porthouse.Code
	}{
		"nothing at all":          {"", unavailable},
		"half a line":             {"HTTP/1.1 1", unavailable},
		"another protocol":        {"SSH-2.0-OpenSSH_9.9\r\n", unavailable},
		"a problem":               {problem + `{"code":"PATH_UNKNOWN"}`, porthouse.CodePathUnknown},
		"a problem of another":    {problem + `{"code":"NONSENSE"}`, invalid},
		"a problem without end":   {problem + `{"code":"` + strings.Repeat("X", 1<<20), invalid},
		"a page":                  {"HTTP/1.1 200 OK\r\n\r\n<h1>It works</h1>", unavailable},
		"a proxy's failure":       {"HTTP/1.1 502 Bad Gateway\r\n\r\n", unavailable},
		"too many":                {"HTTP/1.1 429 Too Many Requests\r\n\r\n", unavailable},
		"a wrong key":             {accepted + "Sec-WebSocket-Accept: bm8=\r\n\r\n", unavailable},
		"headers without end":     {accepted + strings.Repeat("X-More: x\r\n", 1<<18), unavailable},
		"a header beyond measure": {accepted + "X: " + strings.Repeat("x", 12<<20), unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			refuses(t, answering(t, func(c net.Conn) { io.WriteString(c, each.says) }), each.want)
		})
	}
	t.Run("silence", func(t *testing.T) {
		url := answering(t, func(c net.Conn) { io.Copy(io.Discard, c) })
		refuses(t, url, unavailable, porthouse.WithTimeout(shortly))
	})
	t.Run("nobody there", func(t *testing.T) {
		refuses(t, "ws://127.0.0.1:1", unavailable)
	})
	t.Run("another subprotocol", func(t *testing.T) {
		refuses(t, peer.New(t, "porthouse.v9").URL, porthouse.CodeSubprotocolUnsupported)
	})
}

// What is proved is for the gateway that was dialled, so nobody is followed elsewhere.
func TestRedirect(t *testing.T) {
	elsewhere := peer.New(t)
	url := answering(t, func(c net.Conn) {
		target := strings.Replace(elsewhere.URL, "ws:", "http:", 1)
		fmt.Fprintf(c, "HTTP/1.1 307 Temporary Redirect\r\nLocation: %s/v1/ws\r\n\r\n", target)
	})
	refuses(t, url, porthouse.CodeUnavailable, porthouse.WithToken("secret"))
	if elsewhere.Met() {
		t.Error("the other one was dialled")
	}
}

// shortly is how long clients wait for those who never answer.
const shortly = 50 * time.Millisecond

// A gateway that stalls within the first answers is left.
func TestStalls(t *testing.T) {
	challenge := &porthousev1.Challenge{Acceptor: "token", DeadlineMs: 1}
	for name, answer := range map[string]func(*peer.Line){
		"before Welcome": func(*peer.Line) {},
		"before the verdict": func(l *peer.Line) {
			l.Send(peer.WelcomeTo(l.Packet()[0].GetId()))
		},
		"with heartbeats": func(l *peer.Line) {
			for l.SendBytes(nil) == nil {
			}
		},
		"after a challenge": func(l *peer.Line) {
			welcome := peer.WelcomeTo(l.Packet()[0].GetId())
			l.Send(welcome, peer.Challenge(0, "lock:aaaaaaaaaaaaaaaa", challenge))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := peer.New(t)
			go func() { answer(p.Line()) }()
			refuses(t, p.URL+"/acme/boiler", porthouse.CodeUnavailable,
				porthouse.WithToken("secret"), porthouse.WithTimeout(shortly))
		})
	}
}
