package porthouse

import (
	"context"
	"iter"

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
	return r.pages(ctx, Range{After: &after}, func(page *Page) (Range, bool) {
		if len(page.Messages) == 0 {
			return Range{}, false
		}
		last := page.Messages[len(page.Messages)-1].Position()
		return Range{After: &last}, page.MoreAfter
	})
}

// HistoryBackward ranges over the room's history from before a position back to its start; before
// the zero Position it is all that there is, the latest first.
func (r *Room) HistoryBackward(ctx context.Context, before Position) iter.Seq2[Message, error] {
	start := Range{}
	if before != (Position{}) {
		start.Before = &before
	}
	return r.pages(ctx, start, func(page *Page) (Range, bool) {
		if len(page.Messages) == 0 {
			return Range{}, false
		}
		first := page.Messages[0].Position()
		for i, j := 0, len(page.Messages)-1; i < j; i, j = i+1, j-1 {
			page.Messages[i], page.Messages[j] = page.Messages[j], page.Messages[i]
		}
		return Range{Before: &first}, page.MoreBefore
	})
}

// pages ranges over pages; next says in which order they are to be read, and what comes after.
func (r *Room) pages(
	ctx context.Context, at Range, next func(*Page) (Range, bool),
) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		for of, more := at, true; more; {
			page, err := r.fetch(ctx, of)
			if err != nil {
				yield(Message{}, err)
				return
			}
			of, more = next(page)
			for _, m := range page.Messages {
				if !yield(m, nil) {
					return
				}
			}
		}
	}
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
