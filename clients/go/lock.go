package porthouse

import (
	"context"
	"math"
	"net/url"
	"slices"
	"strings"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/proto"
)

// An answerer is an Answerer with what it says of itself.
type answerer struct {
	Answerer
	acceptor  string
	nominates bool
	tries     int
	verifier  Verifier
}

func newAnswerer(given Answerer) *answerer {
	a := &answerer{Answerer: given, acceptor: given.Acceptor(), tries: 1}
	if n, ok := given.(Nominator); ok {
		a.nominates = n.Nominates()
	}
	if r, ok := given.(Retrier); ok {
		if a.tries = r.Tries(); a.tries <= 0 {
			a.tries = math.MaxInt
		}
	}
	a.verifier, _ = given.(Verifier)
	return a
}

// rank puts those for any acceptor last.
func (a *answerer) rank() int {
	if a.acceptor == "*" {
		return 1
	}
	return 0
}

// wanted is the acceptor that it answers there.
func (a *answerer) wanted(challenge *porthousev1.Challenge) string {
	if a.acceptor == "*" {
		return challenge.GetAcceptor()
	}
	return a.acceptor
}

// An attempt is an exchange under way.
type attempt struct {
	*answerer
	Exchange
	ctx context.Context
	end context.CancelFunc
	// It is answering, and is to answer once more.
	busy, again bool
}

// ahead is what can be said without a challenge; nil: nothing. An answer that is no more than that
// chooses the acceptor.
func (a *attempt) ahead() (*porthousev1.Answer, error) {
	a.Lock, a.Challenge = "", nil
	answer, err := a.Answer(a.ctx, &a.Exchange)
	if err == ErrPass || err == ErrWait {
		return nil, nil
	}
	return answer, err
}

// A lock is one that was heard of and is not resolved.
type lock struct {
	address   string
	challenge *porthousev1.Challenge
	// The acceptor that was answered last, or asked.
	choice string
	// Id of the frame of ours that led to it; 0: it came by itself.
	question uint32
	// Connecting waits for it.
	nominated bool
	attempt   *attempt
	// Wrong answers of each answerer; as many as can be, where it gave up.
	failures map[*answerer]int
	err      error
	answered bool
}

// isWhole reports whether an answer is all that there is to say: what is neither text nor bytes
// comes in several messages.
func isWhole(answer *porthousev1.Answer) bool {
	switch answer.GetResponse().(type) {
	case *porthousev1.Answer_Text, *porthousev1.Answer_Data:
		return true
	}
	return false
}

// unanswered names what would have been an answer.
func unanswered(challenge *porthousev1.Challenge) error {
	place := challenge.GetPlace()
	if place == "" {
		place = "the gateway"
	}
	wanted := append([]string{challenge.GetAcceptor()}, challenge.GetOthers()...)
	return errorf(CodeUnauthenticated, "%s asks for %s", place, strings.Join(wanted, " or "))
}

func isSameAsk(a, b *porthousev1.Challenge) bool {
	return proto.Equal(onlyAsk(a), onlyAsk(b))
}

func onlyAsk(of *porthousev1.Challenge) *porthousev1.Challenge {
	return &porthousev1.Challenge{Ask: of.GetAsk()}
}

// What a gateway may ask.
const (
	deadlineMax = 600_000
	promptsMax  = 8
	othersMax   = 16
	nameMax     = 512
	textMax     = 4096
	bytesMax    = 4096
)

// checkChallenge fails where anything in a challenge is beyond what a gateway may ask.
func checkChallenge(lock string, challenge *porthousev1.Challenge) error {
	names := append([]string{lock, challenge.GetAcceptor(), challenge.GetPlace()},
		challenge.GetOthers()...)
	var texts []string
	var data [][]byte
	switch ask := challenge.Ask.(type) {
	case *porthousev1.Challenge_Nonce:
		names = append(names, ask.Nonce.GetSocket())
		data = [][]byte{ask.Nonce.GetNonce()}
	case *porthousev1.Challenge_Scram:
		names = append(names, ask.Scram.GetSocket())
		data = [][]byte{ask.Scram.GetNonce(), ask.Scram.GetSalt()}
	case *porthousev1.Challenge_Prompts:
		texts = []string{ask.Prompts.GetName(), ask.Prompts.GetInstruction()}
		for _, prompt := range ask.Prompts.GetPrompts() {
			texts = append(texts, prompt.GetText())
		}
		if len(ask.Prompts.GetPrompts()) > promptsMax {
			return impossible("prompts")
		}
	case *porthousev1.Challenge_Visit:
		visit := ask.Visit
		texts = []string{visit.GetUserCode(), visit.GetUrl(), visit.GetCompleteUrl()}
		if !isWebPage(visit.GetUrl()) ||
			visit.GetCompleteUrl() != "" && !isWebPage(visit.GetCompleteUrl()) {
			return impossible("page")
		}
	case *porthousev1.Challenge_Data:
		data = [][]byte{ask.Data}
	}
	switch {
	case len(challenge.GetOthers()) > othersMax:
		return impossible("acceptors")
	case slices.ContainsFunc(names, func(name string) bool { return len(name) > nameMax }):
		return impossible("name")
	case slices.ContainsFunc(texts, func(text string) bool { return len(text) > textMax }):
		return impossible("text")
	case slices.ContainsFunc(data, func(bytes []byte) bool { return len(bytes) > bytesMax }):
		return impossible("data")
	}
	challenge.DeadlineMs = min(challenge.DeadlineMs, deadlineMax)
	return nil
}

// isWebPage reports whether a URL is for a person to open: file:, javascript: and their like do
// things.
func isWebPage(page string) bool {
	parsed, err := url.Parse(page)
	return err == nil && (parsed.Scheme == "http" || parsed.Scheme == "https")
}

func impossible(what string) error {
	return errorf(CodeMalformedPacket, "a challenge of an impossible %s", what)
}
