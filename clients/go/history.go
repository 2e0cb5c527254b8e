package porthouse

import (
	"context"
	"iter"
	"slices"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

// A Range is a part of a room's history. One of After, Before, Around, and From with To is set;
// none of them: the last messages of all.
type Range struct {
	// The first ones after it, not itself.
	After *Position
	// The last ones before it, not itself.
	Before *Position
	// Half of them up to it, itself among them, half after it.
	Around *Position
	// Both ends included.
	From, To *Position
	// Messages wanted, 1 to 1,000, default 100; fewer come where they are large.
	Limit int
}

// A Page is what a room keeps of a range.
type Page struct {
	// In the order of positions.
	Messages []Message
	Epoch    uint64
	// Whether there are earlier ones, and later ones.
	MoreBefore, MoreAfter bool
	// First and last position that the room keeps; First is Last + 1 where it keeps none.
	First, Last uint64
}

const (
	pageMax = 1000
	// No page of a gateway comes near it.
	pageBytesMax = 64 << 20
)

// Fetch returns a page of the room's history; it fails with [CodeNoHistory] where the room keeps
// none.
func (r *Room) Fetch(ctx context.Context, of Range) (*Page, error) { return r.fetch(ctx, of) }

// History ranges over the room's history from after a position on, a page at a time as the loop
// needs it; after the zero Position it is all that there is.
func (r *Room) History(ctx context.Context, after Position) iter.Seq2[Message, error] {
	return r.pages(ctx, Range{After: &after}, false)
}

// HistoryBackward ranges over the room's history from before a position back to its start; before
// the zero Position it is all that there is, the latest first.
func (r *Room) HistoryBackward(ctx context.Context, before Position) iter.Seq2[Message, error] {
	from := Range{}
	if before != (Position{}) {
		from.Before = &before
	}
	return r.pages(ctx, from, true)
}

func (r *Room) pages(
	ctx context.Context, from Range, backward bool,
) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for of := from; ; {
			page, err := r.fetch(ctx, of)
			if err != nil {
				yield(Message{}, err)
				return
			}
			more := page.MoreAfter
			if backward {
				slices.Reverse(page.Messages)
				more = page.MoreBefore
			}
			for _, m := range page.Messages {
				if !yield(m, nil) {
					return
				}
			}
			if !more || len(page.Messages) == 0 {
				return
			}
			last := page.Messages[len(page.Messages)-1].Position()
			if !of.leadsTo(last) {
				yield(Message{}, errorf(CodeFrameNotAllowed, "a page that leads nowhere"))
				return
			}
			of = Range{After: &last}
			if backward {
				of = Range{Before: &last}
			}
		}
	}
}

// leadsTo reports whether a page that ends there is followed by another one.
func (r *Range) leadsTo(last Position) bool {
	switch {
	case r.After != nil:
		return last.Sequence > r.After.Sequence
	case r.Before != nil:
		return last.Sequence < r.Before.Sequence
	}
	return true
}

func (r *Room) fetch(ctx context.Context, of Range) (*Page, error) {
	fetch, err := wireFetch(r.address, of)
	if err != nil {
		return nil, err
	}
	page, bytes := &Page{}, 0
	var envelopes []*porthousev1.Envelope
	asked := &question{
		bytes:      len(r.address) + 128,
		repeatable: true,
		encode: func() (*porthousev1.Frame, error) {
			// Asked again on another connection, it is answered from the start.
			envelopes, bytes = nil, 0
			return roomFrame(&porthousev1.Room{Action: &porthousev1.Room_Fetch{Fetch: fetch}}), nil
		},
		part: func(envelope *porthousev1.Envelope) error {
			bytes += heldBytes(envelope)
			if len(envelopes) == pageMax || bytes > pageBytesMax {
				return errorf(CodeFrameNotAllowed, "a page beyond all measure")
			}
			envelopes = append(envelopes, envelope)
			return nil
		},
		read: func(frame *porthousev1.Frame) (bool, error) {
			fetched := frame.GetRoom().GetFetched()
			if fetched == nil {
				return false, nil
			}
			return true, page.read(fetched, envelopes, r.room)
		},
	}
	if err := r.ask(ctx, asked); err != nil {
		return nil, err
	}
	return page, nil
}

// ask asks something that only who is in the room may.
func (r *Room) ask(ctx context.Context, asked *question) error {
	r.c.mu.Lock()
	err := r.err
	r.c.mu.Unlock()
	if err != nil {
		return err
	}
	return r.c.ask(ctx, asked)
}

func wireFetch(address string, of Range) (*porthousev1.Fetch, error) {
	fetch := &porthousev1.Fetch{Address: address, Limit: uint32(of.Limit)}
	given := 0
	if of.After != nil {
		given++
		fetch.Range = &porthousev1.Fetch_After{After: wirePosition(*of.After)}
	}
	if of.Before != nil {
		given++
		fetch.Range = &porthousev1.Fetch_Before{Before: wirePosition(*of.Before)}
	}
	if of.Around != nil {
		given++
		fetch.Range = &porthousev1.Fetch_Around{Around: wirePosition(*of.Around)}
	}
	if of.From != nil && of.To != nil {
		given++
		fetch.Range = &porthousev1.Fetch_Between{Between: &porthousev1.Between{
			Epoch:        of.From.Epoch,
			FromSequence: of.From.Sequence,
			ToSequence:   of.To.Sequence,
		}}
	}
	if (of.From == nil) != (of.To == nil) || given > 1 {
		return nil, errorf(CodeArgumentInvalid, "one of After, Before, Around, and From with To")
	}
	if given == 0 {
		fetch.Range = &porthousev1.Fetch_Before{Before: &porthousev1.Position{}}
	}
	return fetch, nil
}

func (p *Page) read(
	fetched *porthousev1.Fetched, envelopes []*porthousev1.Envelope, room string,
) error {
	*p = Page{
		Messages:   make([]Message, 0, len(envelopes)),
		Epoch:      fetched.GetEpoch(),
		MoreBefore: fetched.GetMoreBefore(),
		MoreAfter:  fetched.GetMoreAfter(),
		First:      fetched.GetFirstSequence(),
		Last:       fetched.GetLastSequence(),
	}
	for _, envelope := range envelopes {
		stamp, err := stampOf(envelope)
		if err != nil {
			return err
		}
		p.Messages = append(p.Messages, readMessage(envelope, stamp, room, p.Epoch))
	}
	return nil
}
