package porthouse

import (
	"net/http"
	"time"
)

// An Option is one of the options of [Connect].
type Option func(*options)

type options struct {
	answerers   []Answerer
	onStep      func(Step)
	onPacket    func(sent bool, packet []byte)
	gateway     string
	agent       string
	reconnect   bool
	backoffBase time.Duration
	backoffCap  time.Duration
	timeout     time.Duration
	queueBytes  int
	bufferBytes int
	httpClient  *http.Client
}

func newOptions(given []Option) options {
	o := options{
		agent:       "porthouse-go/0.1.0",
		reconnect:   true,
		backoffBase: 250 * time.Millisecond,
		backoffCap:  20 * time.Second,
		timeout:     10 * time.Second,
		queueBytes:  16 << 20,
		bufferBytes: 16 << 20,
		httpClient:  http.DefaultClient,
	}
	for _, option := range given {
		option(&o)
	}
	return o
}

// WithToken is short for WithAnswerers(Token(secret)). The secret never stands in the URL.
func WithToken(secret string) Option { return WithAnswerers(Token(secret)) }

// WithAnswerers says who answers locks, in the order of preference; given more than once, all do.
// Those that nominate themselves prove an identity at once where the URL names no place; in a
// place, the first that fits what it asks for answers.
func WithAnswerers(answerers ...Answerer) Option {
	return func(o *options) { o.answerers = append(o.answerers, answerers...) }
}

// WithGatewayName sets what the gateway is called in what is signed, a URL, where it has another
// one than is dialled, for instance behind a tunnel. Never take it from the gateway itself.
func WithGatewayName(url string) Option { return func(o *options) { o.gateway = url } }

// WithAgent sets the name and version of your program, for the gateway's log.
func WithAgent(agent string) Option { return func(o *options) { o.agent = agent } }

// WithReconnect says whether to connect again when the connection is lost. Default true.
func WithReconnect(reconnect bool) Option { return func(o *options) { o.reconnect = reconnect } }

// WithBackoff bounds the waits between attempts to connect again: the n-th is anywhere between
// nothing and the lesser of limit and base·2ⁿ, from n = 0. Default 250 ms and 20 s.
func WithBackoff(base, limit time.Duration) Option {
	return func(o *options) { o.backoffBase, o.backoffCap = base, limit }
}

// WithTimeout sets how long one attempt to connect may take, beside what locks wait for their
// answers. Default 10 s.
func WithTimeout(timeout time.Duration) Option { return func(o *options) { o.timeout = timeout } }

// WithQueueBytes bounds what waits to be sent or answered. Default 16 MiB; over it a call fails
// with [CodeQueueFull].
func WithQueueBytes(bytes int) Option { return func(o *options) { o.queueBytes = bytes } }

// WithBufferBytes bounds what waits for one loop over messages or events, and what all rooms
// together keep until the first such loop. Default 16 MiB; over it the loop gets what was waiting
// and then [CodeSlowConsumer].
func WithBufferBytes(bytes int) Option { return func(o *options) { o.bufferBytes = bytes } }

// WithHTTPClient sets what dials: for a proxy, or for certificates of your own. Redirects are not
// followed. Default [http.DefaultClient].
func WithHTTPClient(client *http.Client) Option {
	return func(o *options) { o.httpClient = client }
}

// OnStep has f see each step of each lock before anything comes of it. It must return soon, and not
// wait for the client.
func OnStep(f func(Step)) Option { return func(o *options) { o.onStep = f } }

// OnPacket has f see the bytes of each packet, secrets among them, which are not to be changed or
// kept. It must return soon, and not wait for the client.
func OnPacket(f func(sent bool, packet []byte)) Option {
	return func(o *options) { o.onPacket = f }
}
