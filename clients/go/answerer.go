package porthouse

import (
	"context"
	"errors"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// An Answerer answers the locks of one acceptor. [Token] and its like are ready-made; one of your
// own needs these two methods, and may be a [Nominator], a [Retrier] and a [Verifier] as well.
type Answerer interface {
	// Acceptor is the name of the acceptor, or "*" for any, where no other answerer fits.
	Acceptor() string
	// Answer returns what to say to x.Challenge or, where that is nil, what can be said before one
	// comes; it must neither wait nor use the client then. The answer's acceptor may be left empty.
	// It returns [ErrPass] if it cannot answer, and [ErrWait] if there is nothing to say; any other
	// error ends the attempt to enter and is its reason. The context ends with the lock or its
	// connection. Several locks may ask at once, each from a goroutine of its own.
	Answer(ctx context.Context, x *Exchange) (*porthousev1.Answer, error)
}

// A Nominator is an Answerer that may prove an identity by itself where the URL leads to the main
// lobby, or to a place that asks for nothing of what the client has. [Connect] waits for that.
type Nominator interface {
	Nominates() bool
}

// A Retrier is an Answerer that may answer one lock more than once.
type Retrier interface {
	// Tries is the number of answers that it may give to one lock; 0 or less: as many as the lock
	// takes.
	Tries() int
}

// A Verifier is an Answerer that wants a proof in turn.
type Verifier interface {
	// Passed is called when the lock took the answer. An error, where the gateway has not proved
	// itself, ends the connection.
	Passed(ctx context.Context, x *Exchange, verdict *porthousev1.Verdict) error
}

// An Exchange is one answerer's attempt at one lock, from its first answer to the verdict: the same
// in all calls of the attempt, of which there is one at a time.
type Exchange struct {
	// What the gateway is called in what is signed: the origin of the URL that was dialled, or what
	// [WithGatewayName] says, never what the peer says of itself.
	Gateway string
	// This socket's own address; empty before the gateway has told it.
	Socket string
	// 1 the first time that this answerer answers this lock.
	Attempt int
	// Address of the lock, and what it asks, within what the protocol allows; empty and nil where
	// the answer is given ahead.
	Lock      string
	Challenge *porthousev1.Challenge
	// For the answerer's own use.
	State any
}

var (
	// ErrPass is returned by an Answerer that cannot answer: the next one is asked.
	ErrPass = errors.New("porthouse: no answer")
	// ErrWait is returned by an Answerer where there is nothing to say: the verdict, or the next
	// challenge, comes by itself.
	ErrWait = errors.New("porthouse: the verdict comes by itself")
)

// A Step is one step of a lock, as [OnStep] sees it: either of Challenge and Verdict is nil.
type Step struct {
	// lock:…; empty in a verdict on what was proved in the main lobby.
	Lock      string
	Challenge *porthousev1.Challenge
	Verdict   *porthousev1.Verdict
}

// Token answers by a token's secret, which proves its account and, if it acts as one, its client.
func Token(secret string) Answerer { return token(secret) }

type token string

func (token) Acceptor() string { return "token" }

func (token) Nominates() bool { return true }

func (t token) Answer(context.Context, *Exchange) (*porthousev1.Answer, error) {
	return TextAnswer(string(t)), nil
}

// TextAnswer is an answer that is a text.
func TextAnswer(text string) *porthousev1.Answer {
	return &porthousev1.Answer{Response: &porthousev1.Answer_Text{Text: text}}
}
