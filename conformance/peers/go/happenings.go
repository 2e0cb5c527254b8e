package main

import (
	"context"
	"sync"

	porthouse "github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	conformancev1 "github.com/porthouse/porthouse/conformance/peers/go/gen/porthouse/conformance/v1"
)

// Happenings is what happens to the client by itself, kept until the runner asks for it by its
// name.
type happenings struct {
	mu    sync.Mutex
	here  map[string][]*conformancev1.Happened
	freed chan struct{}
}

func newHappenings() *happenings {
	return &happenings{
		here: map[string][]*conformancev1.Happened{}, freed: make(chan struct{}),
	}
}

// next gives the first of a name that nobody has been told.
func (h *happenings) next(ctx context.Context, name string) (*conformancev1.Happened, error) {
	for {
		h.mu.Lock()
		freed := h.freed
		if all := h.here[name]; len(all) > 0 {
			h.here[name] = all[1:]
			h.mu.Unlock()
			return all[0], nil
		}
		h.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func (h *happenings) tell(happened *conformancev1.Happened) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.here[happened.Name] = append(h.here[happened.Name], happened)
	close(h.freed)
	h.freed = make(chan struct{})
}

func (h *happenings) step(step porthouse.Step) {
	if step.Challenge != nil {
		h.tell(&conformancev1.Happened{Name: "challenge", Challenge: step.Challenge})
		return
	}
	happened := &conformancev1.Happened{Name: "verdict", Verdict: step.Verdict}
	happened.Code = step.Verdict.GetCode()
	h.tell(happened)
}

// watch tells events until there are no more.
func (h *happenings) watch(client *porthouse.Client) {
	for event, err := range client.Events(context.Background()) {
		if err != nil {
			return
		}
		if happened := happenedOf(event); happened != nil {
			h.tell(happened)
		}
	}
}

// happenedOf is nil for what has no name here.
func happenedOf(event porthouse.Event) *conformancev1.Happened {
	switch event := event.(type) {
	case porthouse.Reconnecting:
		return coded("reconnecting", "", event.Err)
	case porthouse.Reconnected:
		happened := &conformancev1.Happened{Name: "reconnected"}
		for _, room := range event.Rooms {
			happened.Rooms = append(happened.Rooms, &conformancev1.Recovered{
				Address: room.Address, Recovered: room.Recovered,
			})
		}
		return happened
	case porthouse.Gap:
		return lost("gap", event.Lost)
	case porthouse.Missed:
		return lost("lost", event.Lost)
	case porthouse.Dropped:
		return coded("drop", event.Address, event.Err)
	case porthouse.Rejected:
		return coded("rejected", "", event.Err)
	case porthouse.Closed:
		if event.Err == nil {
			return &conformancev1.Happened{Name: "closed"}
		}
		return coded("closed", "", event.Err)
	case porthouse.CaughtUp:
		return &conformancev1.Happened{
			Name: "caught_up", Address: event.Room.Address(), ToSequence: event.Position.Sequence,
		}
	case porthouse.CursorMoved:
		return &conformancev1.Happened{
			Name: "cursor", Address: event.Room.Address(), ToSequence: event.Position.Sequence,
		}
	case porthouse.Presence:
		return &conformancev1.Happened{
			Name: "presence", Address: event.Room.Address(), Count: uint32(event.Count),
		}
	case porthouse.Changed:
		return &conformancev1.Happened{Name: "changed", Address: event.Room.Address()}
	}
	return nil
}

func coded(name, address string, err *porthouse.Error) *conformancev1.Happened {
	happened := &conformancev1.Happened{Name: name, Address: address}
	happened.Code, happened.OwnCode = codeFields(err.Code)
	return happened
}

func lost(name string, lost porthouse.Lost) *conformancev1.Happened {
	happened := &conformancev1.Happened{
		Name:         name,
		Address:      lost.Address,
		FromSequence: lost.From,
		ToSequence:   lost.To,
		Count:        uint32(lost.Count),
	}
	happened.Code, happened.OwnCode = codeFields(lost.Code)
	return happened
}

// codeFields has codes of the protocol by their number, those that only clients have by their name.
func codeFields(code porthouse.Code) (porthousev1.Code, string) {
	if code < 0 {
		return 0, code.String()
	}
	return porthousev1.Code(code), ""
}
