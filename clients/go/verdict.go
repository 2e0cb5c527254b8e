package porthouse

import (
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"google.golang.org/protobuf/proto"
)

// verdict takes one that came in.
func (l *locks) verdict(id uint32, address string, verdict *porthousev1.Verdict) error {
	s := l.sent[id]
	delete(l.sent, id)
	isOther := s != nil && s.lock != "" && s.lock != address
	if isOther && s.nominated {
		return errorf(CodeFrameNotAllowed, "a verdict of another lock")
	}
	k := l.open[address]
	nominated := k != nil && k.nominated
	var x *attempt
	if k != nil {
		x = k.attempt
		l.forget(address)
	}
	if s != nil && !isOther {
		x, nominated = s.attempt, nominated || s.nominated
	}
	reason := &Error{Code: wireCode(verdict.GetCode())}
	if verdict.GetCode() == 0 {
		reason.Code = CodeUnauthenticated
	}
	var err error
	switch verdict.GetOutcome() {
	case porthousev1.Outcome_OUTCOME_PASSED:
		err = l.passed(verdict, k, x)
	case porthousev1.Outcome_OUTCOME_FAILED:
		if x != nil {
			err = l.failed(address, verdict.GetTriesLeft(), k, x, nominated, reason)
		}
	default:
		// An outcome that this client does not know lets nobody in.
		if k != nil {
			l.close(k)
		}
		if nominated {
			err = reason
		}
	}
	if err != nil {
		return err
	}
	return l.c.progress()
}

// forget forgets what was said to a lock that is gone: nothing will answer it.
func (l *locks) forget(address string) {
	for id, s := range l.sent {
		if s.lock == address {
			delete(l.sent, id)
		}
	}
}

func (l *locks) passed(verdict *porthousev1.Verdict, k *lock, x *attempt) error {
	if l.established && (k != nil || x != nil) {
		l.challenges = 0
	}
	if x != nil {
		l.proved = true
		if x.verifier != nil {
			l.verify(verdict, x)
		}
	}
	if k != nil {
		delete(l.open, k.address)
		if k.attempt != nil && k.attempt != x {
			k.attempt.end()
		}
	}
	if x != nil && x.verifier == nil {
		x.end()
	}
	return l.pushNominations()
}

// verify has the gateway prove itself in turn.
func (l *locks) verify(verdict *porthousev1.Verdict, x *attempt) {
	l.verifying++
	go func() {
		defer x.end()
		err := x.verifier.Passed(x.ctx, &x.Exchange, verdict)
		l.c.mu.Lock()
		defer l.c.mu.Unlock()
		l.verifying--
		if l.conn.err != nil || l.c.conn != l.conn {
			return
		}
		if err == nil {
			err = l.c.progress()
		} else {
			err = asError(err, CodeUnauthenticated)
		}
		l.c.guard(err)
	}()
}

// failed is called where a lock did not take an answer.
func (l *locks) failed(
	address string, triesLeft uint32, k *lock, x *attempt, nominated bool, reason *Error,
) error {
	x.end()
	if nominated && l.inLobby {
		if k != nil {
			l.close(k)
		}
		// What cannot be judged now may be later.
		if reason.Temporary() || x.Attempt >= x.tries {
			return reason
		}
		again := l.attempt(x.answerer, x.Attempt+1)
		answer, err := again.ahead()
		if err != nil {
			return asError(err, CodeUnauthenticated)
		}
		return l.push(again, answer, nil, true)
	}
	if k == nil {
		// It took an answer given ahead, and so never asked.
		var err error
		nothing := &porthousev1.Challenge{Acceptor: x.acceptor, TriesLeft: 1}
		if k, err = l.reach(address, nothing, 0, nil); err != nil {
			return err
		}
	}
	// Who still works on the challenge as it was works in vain.
	k.challenge = proto.CloneOf(k.challenge)
	k.challenge.TriesLeft = triesLeft
	k.choice = x.wanted(k.challenge)
	k.nominated, k.err, k.answered, k.attempt = nominated, reason, false, nil
	k.failures[x.answerer] = x.Attempt
	if reason.Temporary() || l.fitting(k) == nil {
		return l.giveUp(k, reason)
	}
	// What asks for something in particular asks anew (PH-5.15).
	if k.choice == k.challenge.GetAcceptor() && k.challenge.GetAsk() != nil {
		return nil
	}
	return l.meet(k)
}

// refused takes a Drop that refuses an answer of ours.
func (l *locks) refused(id uint32, reason error) error {
	s := l.sent[id]
	delete(l.sent, id)
	if s.nominated {
		return reason
	}
	k := l.open[s.lock]
	if k == nil {
		// The lock has ended meanwhile; or none ever wanted what was given ahead.
		return nil
	}
	k.answered = false
	// Another lock came before it: it is asked again when it is the newest.
	if asError(reason, CodeInternal).Code != CodeFrameNotAllowed {
		return l.giveUp(k, reason)
	}
	return nil
}
