package porthouse

import (
	"context"
	"math"
	"slices"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

const (
	// As the protocol bounds a socket's stack, and answers given ahead (PH-4.5).
	locksMax = 16
	aheadMax = 8
	// Challenges with nothing passed between them: whoever asks on and on is left.
	challengesMax = 64
	// Answers of ours that have no verdict: more than a gateway can ask for.
	sentMax = 256
)

// locks is the locks of one connection: what is asked, who answers, and what became of it (R12,
// R13). The client's lock guards it; an error that its methods return ends the connection.
type locks struct {
	c    *Client
	conn *conn
	open map[string]*lock
	// Answers of ours that are not answered, by the ids of their frames.
	sent map[uint32]*sentAnswer
	// Those that are yet to prove themselves in the main lobby.
	nominations []*answerer
	// Challenges that wait for Welcome, which tells this socket's address.
	held       []*lock
	isWelcomed bool
	challenges int
	verifying  int
	// Resuming: what may turn out needless waits for Welcome. Resumed: it is needless.
	resuming, resumed bool
	established       bool
	// No place's locks come before what is nominated.
	inLobby bool
	// Something that an answerer has proved.
	proved bool
}

// A sentAnswer is an answer of ours that is not answered.
type sentAnswer struct {
	attempt *attempt
	// Empty: given ahead, or nominated in the main lobby.
	lock string
	// Connecting waits for what becomes of it.
	nominated bool
	// A verdict answers it at once, so that no lock is left for what comes behind.
	whole bool
}

func newLocks(c *Client, resuming bool) *locks {
	l := &locks{
		c: c, conn: c.conn, open: map[string]*lock{}, sent: map[uint32]*sentAnswer{},
		resuming: resuming, inLobby: !c.entering,
	}
	if l.inLobby {
		l.nominate()
	}
	return l
}

// nominate lines up those that prove an identity by themselves.
func (l *locks) nominate() {
	for _, each := range l.c.answerers {
		if each.nominates && !l.isAhead(each) {
			l.nominations = append(l.nominations, each)
		}
	}
}

// settled reports whether all that connecting waits for is proved.
func (l *locks) settled() bool {
	if len(l.nominations) > 0 || l.verifying > 0 || l.hasNominated() {
		return false
	}
	for _, s := range l.sent {
		// Who has shown its proof waits for that of the gateway.
		if s.nominated || s.lock != "" && s.attempt.verifier != nil {
			return false
		}
	}
	return true
}

// greeted reports whether all that may be asked was said ahead, so that what comes behind need not
// wait.
func (l *locks) greeted() bool {
	if len(l.nominations) > 0 || !l.isFree() {
		return false
	}
	return !l.c.entering || len(l.c.answerers) == len(l.sent)
}

// isFree reports whether the main lobby has place for another lock of ours.
func (l *locks) isFree() bool {
	for _, s := range l.sent {
		if s.nominated && !s.whole {
			return false
		}
	}
	return !l.hasNominated()
}

func (l *locks) hasNominated() bool {
	for _, each := range l.open {
		if each.nominated {
			return true
		}
	}
	return false
}

// isAhead reports whether an answer of this one is on its way, or waits for its lock.
func (l *locks) isAhead(a *answerer) bool {
	for _, s := range l.sent {
		if s.attempt.answerer == a {
			return true
		}
	}
	return false
}

func (l *locks) has(id uint32) bool { return l.sent[id] != nil }

// greet answers in the first packet.
func (l *locks) greet() error {
	if !l.c.entering {
		return l.pushNominations()
	}
	var given []string
	for _, each := range l.c.answerers {
		if slices.Contains(given, each.acceptor) || len(given) == aheadMax {
			continue
		}
		attempt := l.attempt(each, 1)
		answer, err := attempt.ahead()
		if err != nil {
			return err
		}
		if answer == nil {
			continue
		}
		given = append(given, each.acceptor)
		if err := l.push(attempt, answer, nil, each.nominates); err != nil {
			return err
		}
	}
	return nil
}

// pushNominations answers for those that prove themselves in the main lobby, which has place for
// one lock at a time: all that take one step, up to the first that takes more.
func (l *locks) pushNominations() error {
	for whole := l.isFree(); whole && len(l.nominations) > 0; {
		attempt := l.attempt(l.nominations[0], 1)
		answer, err := attempt.ahead()
		if err != nil {
			return err
		}
		whole = isWhole(answer)
		if l.resuming && !whole {
			break
		}
		l.nominations = l.nominations[1:]
		if err := l.push(attempt, answer, nil, true); err != nil {
			return err
		}
	}
	return nil
}

// welcomed is called with whether what was proved before counts as proved.
func (l *locks) welcomed(resumed bool) error {
	l.resuming, l.resumed = false, resumed
	if resumed {
		l.nominations = nil
	}
	if err := l.pushNominations(); err != nil {
		return err
	}
	held := l.held
	l.held, l.isWelcomed = nil, true
	for _, each := range held {
		if l.isOpen(each) {
			if err := l.meet(each); err != nil {
				return err
			}
		}
	}
	return nil
}

// entered is called when the place of the URL is entered. Where it asked for nothing, the client
// says who it is.
func (l *locks) entered() error {
	if l.inLobby || l.established {
		return nil
	}
	l.inLobby = true
	if l.proved || l.resumed {
		return nil
	}
	l.nominate()
	return l.pushNominations()
}

// challenge takes one that came in.
func (l *locks) challenge(id uint32, address string, challenge *porthousev1.Challenge) error {
	if l.challenges++; l.challenges > challengesMax {
		return errorf(CodeNestingTooDeep, "the gateway asks on and on")
	}
	s := l.sent[id]
	delete(l.sent, id)
	question := id
	var goesOn *attempt
	if s != nil {
		question = 0
		if asker := l.open[s.lock]; asker != nil {
			question = asker.question
		}
		if s.lock == "" || s.lock == address {
			goesOn = s.attempt
		}
	}
	k, err := l.reach(address, challenge, question, goesOn)
	if err != nil {
		return err
	}
	k.nominated = k.nominated || s != nil && s.nominated
	// Where nobody could answer, Welcome makes no difference, unless the lock may yet be resumed.
	if !l.isWelcomed && (l.resuming || l.fitting(k) != nil) {
		l.held = append(l.held, k)
		return nil
	}
	return l.meet(k)
}

// reach notes what a lock asks; goesOn is what the challenge goes on with.
func (l *locks) reach(
	address string, challenge *porthousev1.Challenge, question uint32, goesOn *attempt,
) (*lock, error) {
	k := l.open[address]
	if k == nil {
		if len(l.open) == locksMax {
			return nil, errorf(CodeNestingTooDeep, "more than %d locks", locksMax)
		}
		k = &lock{address: address, failures: map[*answerer]int{}}
		l.open[address] = k
	} else if goesOn == nil && isSameAsk(k.challenge, challenge) {
		goesOn = k.attempt
	}
	if k.attempt != nil && k.attempt != goesOn {
		k.attempt.end()
	}
	k.attempt = goesOn
	if k.question == 0 {
		k.question = question
	}
	k.challenge, k.choice, k.answered = challenge, challenge.GetAcceptor(), false
	return k, nil
}

// meet goes on with what is being said, or finds who answers.
func (l *locks) meet(k *lock) error {
	if k.answered || !l.isNewest(k) || l.reaches(k) {
		return nil
	}
	if !l.inLobby {
		// What was given ahead waits for a lock that may never come, so nobody waits for its answer.
		for _, s := range l.sent {
			if s.lock == "" {
				s.nominated = false
			}
		}
	}
	var err error
	if k.attempt != nil {
		l.ask(k, k.attempt)
	} else {
		err = l.pick(k)
	}
	if err == nil {
		err = l.c.progress()
	}
	return err
}

// reaches reports whether an answer is on its way to the lock, sent before it was heard of.
func (l *locks) reaches(k *lock) bool {
	for _, s := range l.sent {
		given := s.attempt.acceptor
		if s.lock == k.address ||
			s.lock == "" && (given == k.challenge.GetAcceptor() ||
				slices.Contains(k.challenge.GetOthers(), given)) {
			return true
		}
	}
	return false
}

func (l *locks) fitting(k *lock) *answerer {
	for _, each := range l.c.answerers {
		fits := each.acceptor == k.challenge.GetAcceptor() || each.acceptor == "*" ||
			slices.Contains(k.challenge.GetOthers(), each.acceptor)
		if fits && k.failures[each] < each.tries {
			return each
		}
	}
	return nil
}

func (l *locks) pick(k *lock) error {
	a := l.fitting(k)
	if a == nil {
		if k.err != nil {
			return l.giveUp(k, k.err)
		}
		return l.giveUp(k, unanswered(k.challenge))
	}
	k.attempt = l.attempt(a, k.failures[a]+1)
	l.ask(k, k.attempt)
	return nil
}

// ask has the answerer answer, on a goroutine of its own, and sends what it says if that is still
// wanted by then.
func (l *locks) ask(k *lock, x *attempt) {
	l.conn.waits(milliseconds(k.challenge.GetDeadlineMs()))
	// The rest of the packet may resolve it, or hold a newer lock, which is to be answered first.
	l.c.afterPacket(func() {
		if !l.wants(k, x) {
			return
		}
		if x.busy {
			x.again = true
			return
		}
		challenge := k.challenge
		x.busy, x.Socket, x.Lock, x.Challenge = true, l.c.socket, k.address, challenge
		// It was another one that asked, so what this one asks is not known.
		chooses := k.choice != challenge.GetAcceptor() || x.wanted(challenge) != k.choice
		go func() {
			answer, err := x.answer(chooses)
			l.c.mu.Lock()
			defer l.c.mu.Unlock()
			again := x.again
			x.busy, x.again = false, false
			switch {
			case !l.wants(k, x):
				// Where it is not the newest any more, it is asked again when it is.
			case again:
				l.ask(k, x)
			case k.challenge == challenge:
				l.c.guard(l.answered(k, x, answer, err))
			}
		}()
	})
}

// wants reports whether an answer of that attempt is still wanted.
func (l *locks) wants(k *lock, x *attempt) bool {
	return l.conn.err == nil && l.isNewest(k) && !k.answered && k.attempt == x
}

func (l *locks) answered(k *lock, x *attempt, answer *porthousev1.Answer, err error) error {
	switch err {
	case nil:
		return l.send(k, x, answer)
	case ErrWait:
		return nil
	case ErrPass:
		k.failures[x.answerer] = math.MaxInt
		k.attempt = nil
		return l.pick(k)
	}
	return l.giveUp(k, err)
}

func (x *attempt) answer(chooses bool) (*porthousev1.Answer, error) {
	if chooses {
		return x.ahead()
	}
	return x.Answer(x.ctx, &x.Exchange)
}

// giveUp is called where nobody answers.
func (l *locks) giveUp(k *lock, reason error) error {
	// An answerer that fails has no proof.
	err := asError(reason, CodeUnauthenticated)
	l.close(k)
	if k.nominated {
		return err
	}
	return l.c.stuck(k.question, k.challenge.GetPlace(), err)
}

// end is called when the connection is gone.
func (l *locks) end() {
	for _, k := range l.open {
		l.close(k)
	}
	for _, s := range l.sent {
		s.attempt.end()
	}
	clear(l.sent)
}

func (l *locks) isOpen(k *lock) bool { return l.open[k.address] == k }

// isNewest reports whether it is the one lock that takes an answer.
func (l *locks) isNewest(k *lock) bool {
	for _, each := range l.open {
		if each.challenge.GetDepth() > k.challenge.GetDepth() {
			return false
		}
	}
	return l.isOpen(k)
}

func (l *locks) close(k *lock) {
	delete(l.open, k.address)
	if k.attempt != nil {
		k.attempt.end()
	}
}

func (l *locks) attempt(a *answerer, number int) *attempt {
	x := &attempt{answerer: a}
	x.ctx, x.end = context.WithCancel(l.conn.ctx)
	x.Exchange = Exchange{Gateway: l.c.gateway, Socket: l.c.socket, Attempt: number}
	return x
}

func (l *locks) send(k *lock, x *attempt, answer *porthousev1.Answer) error {
	if err := l.push(x, answer, k, k.nominated); err != nil {
		return l.giveUp(k, err)
	}
	k.answered = true
	return nil
}

// push sends an answer; without a response, it chooses the acceptor.
func (l *locks) push(x *attempt, answer *porthousev1.Answer, k *lock, nominated bool) error {
	if len(l.sent) == sentMax {
		return errorf(CodeNestingTooDeep, "answers that nobody answers")
	}
	full := &porthousev1.Answer{
		Acceptor: answer.GetAcceptor(), Response: answer.GetResponse(),
	}
	step := &porthousev1.LockStep{Step: &porthousev1.LockStep_Answer{Answer: full}}
	s := &sentAnswer{attempt: x, nominated: nominated, whole: isWhole(answer)}
	if k != nil {
		step.Lock, s.lock = k.address, k.address
		if full.Acceptor == "" {
			full.Acceptor = x.wanted(k.challenge)
		}
	} else if full.Acceptor == "" {
		full.Acceptor = x.acceptor
	}
	id := l.c.queue.newID()
	err := l.conn.push(&porthousev1.Frame{
		Id: id, Body: &porthousev1.Frame_LockStep{LockStep: step},
	})
	if err == nil {
		l.sent[id] = s
	}
	return err
}
