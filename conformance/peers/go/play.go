package main

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	porthouse "github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	"github.com/porthouse/porthouse/clients/go/sshkey"
	conformancev1 "github.com/porthouse/porthouse/conformance/peers/go/gen/porthouse/conformance/v1"
)

// A play is one case: its actions in order, each by the call of the client that a program would
// make.
type play struct {
	request    *conformancev1.ClientRequest
	ctx        context.Context
	happenings *happenings
	// Something was sent.
	spoke chan struct{}

	mu     sync.Mutex
	client *porthouse.Client
	// By the address that the runner gave and by the full one.
	rooms map[string]*joined
	// Over all messages; made only where a case asks, since it asks for the client's own channel.
	all *ears
}

type joined struct {
	room *porthouse.Room
	ears *ears
}

var (
	errClosed   = &porthouse.Error{Code: porthouse.CodeClosed}
	errTimedOut = errors.New("timed out")
)

func run(request *conformancev1.ClientRequest) (outcomes []*conformancev1.Outcome) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &play{
		request: request, ctx: ctx, happenings: newHappenings(), rooms: map[string]*joined{},
		spoke: make(chan struct{}, 1),
	}
	for _, action := range request.GetActions() {
		outcomes = append(outcomes, p.bounded(action))
	}
	if client, err := p.connected(); err == nil {
		client.Close()
	}
	return outcomes
}

// bounded does an action for as long as it may last.
func (p *play) bounded(action *conformancev1.Action) *conformancev1.Outcome {
	return p.begin(action)()
}

// begin begins an action, and has a message handed over; wait does the rest.
func (p *play) begin(action *conformancev1.Action) (wait func() *conformancev1.Outcome) {
	within := time.Duration(cmp.Or(action.GetWithinMs(), 5000)) * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(p.ctx, within, errTimedOut)
	finish := func() (*conformancev1.Outcome, error) { return p.act(ctx, action) }
	if how := action.GetSend(); how != nil {
		pending := &porthouse.Pending{}
		err := p.send(ctx, how, pending)
		finish = func() (*conformancev1.Outcome, error) {
			if err != nil {
				return nil, err
			}
			receipt, err := pending.Receipt(ctx)
			return receiptOutcome(receipt), err
		}
	}
	return func() *conformancev1.Outcome {
		defer cancel()
		outcome, err := finish()
		switch {
		case errors.Is(err, errTimedOut):
			return timedOut()
		case err != nil:
			return failed(err)
		}
		return outcome
	}
}

func (p *play) act(
	ctx context.Context, action *conformancev1.Action,
) (*conformancev1.Outcome, error) {
	switch does := action.GetDoes().(type) {
	case *conformancev1.Action_Connect:
		return done(), p.connect(ctx, does.Connect)
	case *conformancev1.Action_Together:
		return p.together(does.Together.GetActions()), nil
	case *conformancev1.Action_Join:
		return p.join(ctx, does.Join)
	case *conformancev1.Action_Hear:
		return p.hear(ctx, does.Hear)
	case *conformancev1.Action_Event:
		// Without a client there is nobody to whom anything happens.
		if _, err := p.connected(); err != nil {
			return nil, err
		}
		happened, err := p.happenings.next(ctx, does.Event.GetName())
		return &conformancev1.Outcome{
			Result: &conformancev1.Outcome_Happened{Happened: happened},
		}, err
	case *conformancev1.Action_Close:
		client, err := p.connected()
		if err == nil {
			client.Close()
		}
		return done(), err
	}
	return p.inRoom(ctx, action)
}

// inRoom does what only who is in a room does.
func (p *play) inRoom(
	ctx context.Context, action *conformancev1.Action,
) (*conformancev1.Outcome, error) {
	switch does := action.GetDoes().(type) {
	case *conformancev1.Action_Fetch:
		in, err := p.joined(does.Fetch.GetRoom())
		if err != nil {
			return nil, err
		}
		page, err := in.room.Fetch(ctx, porthouse.Range{
			After: &porthouse.Position{Sequence: does.Fetch.GetAfterSequence()},
			Limit: int(does.Fetch.GetLimit()),
		})
		if err != nil {
			return nil, err
		}
		return heardOutcome(page.Messages), nil
	case *conformancev1.Action_Read:
		in, err := p.joined(does.Read.GetRoom())
		if err != nil {
			return nil, err
		}
		return done(), in.room.Read(ctx, porthouse.Position{Sequence: does.Read.GetSequence()})
	case *conformancev1.Action_Leave:
		in, err := p.joined(does.Leave.GetRoom())
		if err != nil {
			return nil, err
		}
		return done(), in.room.Leave(ctx)
	case *conformancev1.Action_Members:
		in, err := p.joined(does.Members.GetRoom())
		if err != nil {
			return nil, err
		}
		list := &conformancev1.MemberList{}
		for member, err := range in.room.Members(ctx) {
			if err != nil {
				return nil, err
			}
			list.Addresses = append(list.Addresses, member.GetAddress())
		}
		return &conformancev1.Outcome{Result: &conformancev1.Outcome_Members{Members: list}}, nil
	}
	return nil, errors.New("an action that this peer does not know")
}

func (p *play) together(actions []*conformancev1.Action) *conformancev1.Outcome {
	all := &conformancev1.Outcomes{Outcomes: make([]*conformancev1.Outcome, len(actions))}
	var tasks sync.WaitGroup
	for i, action := range actions {
		wait, over := p.begin(action), make(chan struct{})
		select {
		case <-p.spoke:
		default:
		}
		tasks.Go(func() {
			defer close(over)
			all.Outcomes[i] = wait()
		})
		// Goroutines run in any order; what they ask is to be asked in this one.
		if action.GetJoin() != nil {
			select {
			case <-p.spoke:
			case <-over:
			}
		}
	}
	tasks.Wait()
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_Together{Together: all}}
}

func (p *play) connect(ctx context.Context, how *conformancev1.Connect) error {
	opts := append(optionsOf(how), porthouse.OnStep(p.happenings.step), porthouse.OnPacket(p.packet))
	client, err := porthouse.Connect(ctx, p.request.GetUrl()+how.GetPath(), opts...)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.client = client
	if slices.ContainsFunc(p.request.GetActions(), hearsAll) {
		p.all = newEars(p.ctx, client.Messages(p.ctx))
	}
	p.mu.Unlock()
	go p.happenings.watch(client)
	if room := client.Entered(); room != nil {
		p.enter(room.Address(), room)
	}
	return nil
}

func (p *play) packet(sent bool, _ []byte) {
	if sent {
		select {
		case p.spoke <- struct{}{}:
		default:
		}
	}
}

func hearsAll(action *conformancev1.Action) bool {
	if together := action.GetTogether(); together != nil {
		return slices.ContainsFunc(together.GetActions(), hearsAll)
	}
	return action.GetHear() != nil && action.GetHear().GetRoom() == ""
}

func signer(client string, seed []byte) porthouse.Answerer {
	key := ed25519.NewKeyFromSeed(seed)
	return &sshkey.Key{
		Client: client,
		Sign: func(_ context.Context, message []byte) ([]byte, error) {
			return ed25519.Sign(key, message), nil
		},
	}
}

func optionsOf(how *conformancev1.Connect) []porthouse.Option {
	opts := []porthouse.Option{porthouse.WithReconnect(how.GetReconnect())}
	if token := how.GetToken(); token != "" {
		opts = append(opts, porthouse.WithToken(token))
	}
	if password := how.GetPassword(); password != "" {
		opts = append(opts, porthouse.WithAnswerers(porthouse.Password(how.GetClient(), password)))
	}
	if key := how.GetKey(); key != "" {
		opts = append(opts, porthouse.WithAnswerers(porthouse.ConnectionKey(key)))
	}
	if seed := how.GetSigningSeed(); len(seed) > 0 {
		opts = append(opts, porthouse.WithAnswerers(signer(how.GetClient(), seed)))
	}
	if preset := how.GetPreset(); preset != "" {
		opts = append(opts, porthouse.WithAnswerers(porthouse.Preset([]byte(preset))))
	}
	if words := how.GetWords(); len(words) > 0 {
		opts = append(opts, porthouse.WithAnswerers(porthouse.Prompts(func(
			_ context.Context, asked *porthousev1.Prompts,
		) (told []string, err error) {
			count := len(asked.GetPrompts())
			if len(words) < count {
				return nil, porthouse.ErrPass
			}
			told, words = words[:count], words[count:]
			return told, nil
		})))
	}
	if bytes := how.GetBufferBytes(); bytes > 0 {
		opts = append(opts, porthouse.WithBufferBytes(int(bytes)))
	}
	if ms := how.GetTimeoutMs(); ms > 0 {
		opts = append(opts, porthouse.WithTimeout(time.Duration(ms)*time.Millisecond))
	}
	return opts
}

func (p *play) join(
	ctx context.Context, how *conformancev1.Join,
) (*conformancev1.Outcome, error) {
	client, err := p.connected()
	if err != nil {
		return nil, err
	}
	room, err := client.Join(ctx, how.GetAddress(), joinOptionsOf(how)...)
	if err != nil {
		return nil, err
	}
	p.enter(how.GetAddress(), room)
	at, _ := room.Position()
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_Joined{
		Joined: &conformancev1.JoinedRoom{
			Address:  room.Address(),
			Epoch:    at.Epoch,
			Sequence: at.Sequence,
			MaySend:  room.MaySend(),
		},
	}}, nil
}

func joinOptionsOf(how *conformancev1.Join) (opts []porthouse.JoinOption) {
	if how.GetSendOnly() {
		opts = append(opts, porthouse.SendOnly())
	}
	if how.GetPresence() {
		opts = append(opts, porthouse.WithPresence())
	}
	switch since := how.GetSince().(type) {
	case *conformancev1.Join_AfterSequence:
		opts = append(opts, porthouse.Since(porthouse.Position{
			Epoch: how.GetEpoch(), Sequence: since.AfterSequence,
		}))
	case *conformancev1.Join_Last:
		opts = append(opts, porthouse.SinceLast(since.Last))
	case *conformancev1.Join_Unread:
		opts = append(opts, porthouse.SinceUnread())
	case *conformancev1.Join_Start:
		opts = append(opts, porthouse.SinceStart())
	}
	return opts
}

func (p *play) enter(given string, room *porthouse.Room) {
	p.mu.Lock()
	defer p.mu.Unlock()
	in := p.rooms[room.Address()]
	if in == nil || in.room != room {
		in = &joined{room: room, ears: newEars(p.ctx, room.Messages(p.ctx))}
	}
	p.rooms[given] = in
	p.rooms[room.Address()] = in
	p.rooms[strings.TrimPrefix(room.Address(), "room:")] = in
}

func (p *play) send(
	ctx context.Context, how *conformancev1.SendMessage, pending *porthouse.Pending,
) error {
	client, err := p.connected()
	if err != nil {
		return err
	}
	opts := append(sendOptionsOf(how), porthouse.WithPending(pending))
	payload, isPayload := how.GetContent().(*conformancev1.SendMessage_Payload)
	channel := how.GetChannel()
	if in, err := p.joined(how.GetTo()); err == nil {
		if channel != "" {
			opts = append(opts, porthouse.OnChannel(channel))
		}
		if isPayload {
			_, err = in.room.Send(ctx, payload.Payload, opts...)
		} else {
			_, err = in.room.SendText(ctx, how.GetText(), opts...)
		}
		return err
	}
	to := []string{}
	if address := how.GetTo(); address != "" && channel != "" {
		to = append(to, address+"/"+channel)
	} else if address != "" {
		to = append(to, address)
	}
	if isPayload {
		_, err = client.Send(ctx, to, payload.Payload, opts...)
	} else {
		_, err = client.SendText(ctx, to, how.GetText(), opts...)
	}
	return err
}

func sendOptionsOf(how *conformancev1.SendMessage) []porthouse.SendOption {
	opts := []porthouse.SendOption{
		porthouse.WithLevel(porthouse.Level(how.GetLevel())),
		porthouse.WithContentType(how.GetContentType()),
		porthouse.WithReplyTo(how.GetReplyTo()),
		porthouse.WithCorrelationID(how.GetCorrelationId()),
		porthouse.WithKey(how.GetIdempotencyKey()),
		porthouse.WithExpiry(time.Duration(how.GetExpiresAfter()) * time.Second),
	}
	for name, value := range how.GetHeaders() {
		opts = append(opts, porthouse.WithHeader(name, value))
	}
	return opts
}

func (p *play) hear(
	ctx context.Context, how *conformancev1.Hear,
) (*conformancev1.Outcome, error) {
	ears := p.all
	if how.GetRoom() != "" {
		in, err := p.joined(how.GetRoom())
		if err != nil {
			return nil, err
		}
		ears = in.ears
	}
	if ears == nil {
		return nil, errClosed
	}
	messages, err := ears.hear(ctx, int(how.GetCount()))
	if err != nil {
		return nil, err
	}
	return heardOutcome(messages), nil
}

func (p *play) connected() (*porthouse.Client, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		return nil, errClosed
	}
	return p.client, nil
}

// joined is a room; one that could not be joined is as one that was left.
func (p *play) joined(address string) (*joined, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if in := p.rooms[address]; in != nil {
		return in, nil
	}
	return nil, errClosed
}
