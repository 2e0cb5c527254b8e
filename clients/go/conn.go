package porthouse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

const (
	subprotocol = "porthouse.v1"
	// A larger packet from the gateway is refused; its own outboxes stay far below.
	packetMax = 16 << 20
	// More frames than a gateway puts into one.
	framesMax = 65536
	// How long the peer may take over its half of a close.
	closeWait = time.Second
)

// A conn is one WebSocket: frames in, packets out, and why it ended. Two goroutines serve it: the
// one that reads, and one that writes.
type conn struct {
	opts *options
	ctx  context.Context
	// Cuts it at once.
	cancel context.CancelFunc
	ws     *websocket.Conn
	// Tells the writer that there is something to do.
	wake chan struct{}

	mu *sync.Mutex // The client's; guards what follows.
	// Frames, each a packet of its own that is joined with others when it is written, and the
	// questions that they are of.
	out      [][]byte
	outBytes int
	handed   []*question
	// Told by Welcome; 0 is no bound.
	limits *porthousev1.Limits
	// Why it ends, once that is known; whether this side ends it, and in order.
	err            error
	ended, closing bool
	// When it has to be established, and since when it is.
	deadline *time.Timer
	since    time.Time
	pulse    pulse
}

func newConn(c *Client) *conn {
	ctx, cancel := context.WithCancel(c.ctx)
	k := &conn{opts: &c.opts, ctx: ctx, cancel: cancel, mu: &c.mu, wake: make(chan struct{}, 1)}
	k.expect(c.opts.timeout)
	return k
}

// dial opens the WebSocket.
func (k *conn) dial(url string) error {
	client := *k.opts.httpClient
	// What is proved is for the gateway that was dialled.
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	ws, response, err := websocket.Dial(k.ctx, url, &websocket.DialOptions{
		HTTPClient:     &client,
		Subprotocols:   []string{subprotocol},
		OnPingReceived: func(context.Context, []byte) bool { k.heard(); return true },
	})
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		ws.SetReadLimit(packetMax)
		k.ws = ws
		if k.err == nil && ws.Subprotocol() != subprotocol {
			k.fail(errorf(CodeSubprotocolUnsupported, "the gateway speaks %q", ws.Subprotocol()))
		}
		return nil
	case k.err != nil:
		return k.err
	case response != nil && response.StatusCode != http.StatusSwitchingProtocols:
		return refusal(response)
	}
	return &Error{Code: CodeUnavailable, Cause: err}
}

// refusal is what the problem document (RFC 9457) says that a gateway answers with; else what its
// status says.
func refusal(response *http.Response) error {
	detail := fmt.Sprintf("the upgrade was refused with status %d", response.StatusCode)
	var problem struct{ Code string }
	if body, err := io.ReadAll(response.Body); err == nil && json.Unmarshal(body, &problem) == nil {
		if code, ok := namedCode(problem.Code); ok {
			return &Error{Code: code, Detail: detail}
		}
	}
	status := response.StatusCode
	// 408 and 429 pass, and so does what is not 4xx.
	if status >= 400 && status < 500 && status != 408 && status != 429 {
		return &Error{Code: CodeHandshakeInvalid, Detail: detail}
	}
	return &Error{Code: CodeUnavailable, Detail: detail}
}

// read takes frames until the connection ends, and returns why it did. taken is called at the end
// of each packet.
func (k *conn) read(take func(*porthousev1.Frame) error, taken func()) error {
	for {
		kind, packet, err := k.ws.Read(k.ctx)
		if err != nil {
			return k.reason(err)
		}
		k.heard()
		if f := k.opts.onPacket; f != nil {
			f(false, packet)
		}
		if kind != websocket.MessageBinary {
			err = errorf(CodeWrongDataType, "the gateway sent a text")
		} else {
			err = eachFrame(packet, take)
		}
		if err == nil {
			taken()
			continue
		}
		k.mu.Lock()
		k.fail(asError(err, CodeInternal))
		k.mu.Unlock()
	}
}

// eachFrame decodes a packet frame by frame, so that no more is held than one of them.
func eachFrame(packet []byte, take func(*porthousev1.Frame) error) error {
	for fields := 0; len(packet) > 0; fields++ {
		if fields == framesMax {
			return errorf(CodeTooManyFrames, "more than %d", framesMax)
		}
		number, kind, n := protowire.ConsumeTag(packet)
		if n < 0 {
			return &Error{Code: CodeMalformedPacket, Cause: protowire.ParseError(n)}
		}
		packet = packet[n:]
		if number != 1 || kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, packet); n < 0 {
				return &Error{Code: CodeMalformedPacket, Cause: protowire.ParseError(n)}
			}
			packet = packet[n:]
			continue
		}
		bytes, n := protowire.ConsumeBytes(packet)
		if n < 0 {
			return &Error{Code: CodeMalformedPacket, Cause: protowire.ParseError(n)}
		}
		packet = packet[n:]
		frame := new(porthousev1.Frame)
		if err := proto.Unmarshal(bytes, frame); err != nil {
			return &Error{Code: CodeMalformedPacket, Cause: err}
		}
		if err := take(frame); err != nil {
			return err
		}
	}
	return nil
}

// reason says why a read failed.
func (k *conn) reason(err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	// Of a Drop with a code that this client does not know, the range of the close code tells more.
	if k.err != nil && !errors.Is(k.err, CodeUnknown) {
		return k.err
	}
	var timeout net.Error
	switch status := websocket.CloseStatus(err); {
	case status != -1:
		return closedBy(int(status))
	case errors.Is(err, websocket.ErrMessageTooBig):
		return errorf(CodePacketTooLarge, "more than %d bytes", packetMax)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, context.Canceled), errors.As(err, &timeout):
		return &Error{Code: CodeUnavailable, Cause: err}
	}
	// What the library refuses is not RFC 6455.
	return &Error{Code: CodeMalformedPacket, Cause: err}
}

// push has a frame written, with whatever else is pushed until then.
func (k *conn) push(frame *porthousev1.Frame) error {
	packet, err := encodePacket(frame)
	if err != nil {
		return &Error{Code: CodeInvalidUTF8, Cause: err}
	}
	// Its tag and length are the packet's.
	if most := int(k.limits.GetFrameBytes()); most > 0 && len(packet) > most+8 {
		return errorf(CodeFrameTooLarge, "%d bytes, the gateway takes %d", len(packet), most)
	}
	// What the queue bounds, and what is said in answer to the gateway.
	if k.outBytes > 2*k.opts.queueBytes+replyMax {
		k.fail(errorf(CodeSlowConsumer, "the gateway asks on and on, and reads nothing"))
		return k.err
	}
	k.out = append(k.out, packet)
	k.outBytes += len(packet)
	k.notify()
	return nil
}

func (k *conn) notify() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// write sends what is pushed until the connection ends. settle is called, with the lock held, for
// questions that are in the socket.
func (k *conn) write(settle func([]*question)) {
	defer k.cancel()
	for {
		select {
		case <-k.wake:
		case <-k.ctx.Done():
			return
		}
		k.mu.Lock()
		frames, asked, beat := k.out, k.handed, k.pulse.due
		k.out, k.handed, k.pulse.due = nil, nil, false
		most, count := int(k.limits.GetPacketBytes()), int(k.limits.GetPacketFrames())
		over, done := k.err != nil && !k.closing, k.ended && !k.closing
		for _, each := range asked {
			// From here on nobody can say whether it arrived.
			if !over {
				each.state = sent
			}
		}
		k.mu.Unlock()
		if done {
			break
		}
		if over {
			continue
		}
		if beat && k.send(nil) != nil {
			return
		}
		for len(frames) > 0 {
			var packet []byte
			packet, frames = join(frames, most, count)
			if k.send(packet) != nil {
				return
			}
		}
		k.mu.Lock()
		k.pulse.spoke = time.Now()
		k.outBytes = 0
		for _, each := range k.out {
			k.outBytes += len(each)
		}
		settle(asked)
		done = k.closing && len(k.out) == 0
		k.mu.Unlock()
		if done {
			break
		}
	}
	k.mu.Lock()
	status := websocket.StatusNormalClosure
	if known := asError(k.err, CodeClosed); !k.closing {
		status = websocket.StatusCode(known.Code.closeStatus())
	}
	k.mu.Unlock()
	_ = k.ws.Close(status, "")
}

func (k *conn) send(packet []byte) error {
	if f := k.opts.onPacket; f != nil {
		f(true, packet)
	}
	return k.ws.Write(k.ctx, websocket.MessageBinary, packet)
}

// join joins as many frames as the bounds allow; 0 is none.
func join(frames [][]byte, bytes, count int) (packet []byte, rest [][]byte) {
	n, size := 0, 0
	for n < len(frames) && (count == 0 || n < count) {
		if n > 0 && bytes > 0 && size+len(frames[n]) > bytes {
			break
		}
		size += len(frames[n])
		n++
	}
	if n == 1 {
		return frames[0], frames[1:]
	}
	packet = make([]byte, 0, size)
	for _, each := range frames[:n] {
		packet = append(packet, each...)
	}
	return packet, frames[n:]
}

// expect gives the gateway so long to answer all of the greeting.
func (k *conn) expect(wait time.Duration) {
	if k.deadline != nil {
		k.deadline.Stop()
	}
	k.deadline = time.AfterFunc(wait, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.since.IsZero() {
			k.fail(errorf(CodeUnavailable, "the gateway did not answer within %v", wait))
		}
	})
}

// waits says that nothing else is due while a lock waits for an answer, for so long.
func (k *conn) waits(wait time.Duration) {
	if k.since.IsZero() && k.err == nil {
		k.expect(wait + k.opts.timeout)
	}
}

// establish is called when all of the greeting is answered.
func (k *conn) establish() {
	k.since = time.Now()
	k.deadline.Stop()
}

// over is called when nothing more comes. Who ends the connection himself still closes it.
func (k *conn) over() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.ended {
		k.cancel()
	}
}

// fail ends the connection for a reason of this side's.
func (k *conn) fail(err error) {
	if k.err != nil {
		return
	}
	k.err = err
	k.end()
}

// dropped is called where the gateway said why it is about to close.
func (k *conn) dropped(err error) {
	if k.err == nil {
		k.err = err
		time.AfterFunc(closeWait, k.cancel)
	}
}

// close ends it in order, once what was pushed is sent.
func (k *conn) close() {
	if k.err != nil {
		return
	}
	k.err, k.closing = &Error{Code: CodeClosed}, true
	k.end()
}

func (k *conn) end() {
	k.ended = true
	k.pulse.stop()
	k.deadline.Stop()
	if k.ws == nil {
		k.cancel()
		return
	}
	k.notify()
	time.AfterFunc(closeWait, k.cancel)
}
