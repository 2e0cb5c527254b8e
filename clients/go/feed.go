package porthouse

import (
	"context"
	"iter"
	"sync"
)

// A feed is where messages of one kind, or events, come in, and the loops that they go to. What
// comes before the first loop is kept for it. The client's lock guards it.
type feed[T any] struct {
	readers map[*reader[T]]struct{}
	// Of the first loop, until that is there.
	first *reader[T]
	kept  *kept
	// Whose it is, as Lost names it, and what the first loop will have missed.
	address string
	lost    *Lost
	// Attaches what was lost to what comes next; nil where nothing is said of that.
	mark func(*T, *Lost)
	over bool
	err  error
}

// kept is what feeds keep for first loops, by bytes. Where it is too much, the one that keeps most
// gives it up.
type kept struct {
	bytes, limit int
	by           map[interface{ giveUp() }]int
}

func newKept(limit int) *kept {
	return &kept{limit: limit, by: map[interface{ giveUp() }]int{}}
}

func (k *kept) add(f interface{ giveUp() }, bytes int) {
	k.by[f] += bytes
	for k.bytes += bytes; k.bytes > k.limit; {
		for each, held := range k.by {
			if held > k.by[f] {
				f = each
			}
		}
		f.giveUp()
	}
}

func (k *kept) remove(f interface{ giveUp() }) {
	k.bytes -= k.by[f]
	delete(k.by, f)
}

func newFeed[T any](kept *kept, mark func(*T, *Lost)) *feed[T] {
	f := &feed[T]{readers: map[*reader[T]]struct{}{}, kept: kept, mark: mark}
	f.first = newReader[T](kept.limit)
	return f
}

func (f *feed[T]) push(value T, bytes int) {
	for r := range f.readers {
		f.give(r, value, bytes)
	}
	if f.first != nil && !f.over {
		f.give(f.first, value, bytes)
		f.kept.add(f, bytes)
	}
}

func (f *feed[T]) give(r *reader[T], value T, bytes int) {
	if r.lost != nil && f.mark != nil {
		f.mark(&value, r.lost)
		r.lost = nil
	}
	if !r.push(value, bytes) {
		delete(f.readers, r)
	}
}

// miss is told with the next message.
func (f *feed[T]) miss(lost Lost) {
	for r := range f.readers {
		r.miss(lost)
	}
	if f.first != nil {
		f.first.miss(lost)
	}
}

// giveUp lets go of what is kept, which the first loop is told.
func (f *feed[T]) giveUp() {
	f.forget()
	f.lost = &Lost{Address: f.address, Code: CodeSlowConsumer}
}

// end ends all loops once they have what is waiting.
func (f *feed[T]) end(err error) {
	if f.over {
		return
	}
	f.over, f.err = true, err
	for r := range f.readers {
		r.end(err)
	}
	clear(f.readers)
	if f.first != nil {
		f.first.end(err)
	}
}

// forget keeps nothing for a first loop any more.
func (f *feed[T]) forget() {
	if f.first == nil {
		return
	}
	f.kept.remove(f)
	f.first = nil
}

// read begins a loop.
func (f *feed[T]) read() *reader[T] {
	r := f.first
	if r != nil {
		f.forget()
	} else {
		r = newReader[T](f.kept.limit)
		r.lost, f.lost = f.lost, nil
		if f.over {
			r.end(f.err)
		}
	}
	if !f.over {
		f.readers[r] = struct{}{}
	}
	return r
}

// A reader is one loop with a buffer of its own.
type reader[T any] struct {
	// Guarded by the client's lock.
	lost *Lost

	limit int
	wake  chan struct{}
	mu    sync.Mutex
	queue []T
	bytes int
	over  bool
	err   error
}

func newReader[T any](limit int) *reader[T] {
	return &reader[T]{limit: limit, wake: make(chan struct{}, 1)}
}

// push reports whether the reader takes more.
func (r *reader[T]) push(value T, bytes int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	// A single message always fits, whatever the bound.
	if !r.over && r.bytes > 0 && r.bytes+bytes > r.limit {
		r.over = true
		r.err = errorf(CodeSlowConsumer, "more than %d bytes waited for a slow reader", r.limit)
	}
	if r.over {
		r.notify()
		return false
	}
	r.queue = append(r.queue, value)
	r.bytes += bytes
	r.notify()
	return true
}

func (r *reader[T]) miss(lost Lost) {
	if b := r.lost; b != nil && b.Address == lost.Address && b.Code == lost.Code && lost.From > 0 {
		lost.From = b.From
		if b.Count == 0 || lost.Count == 0 {
			lost.Count = 0
		} else {
			lost.Count += b.Count
		}
	}
	r.lost = &lost
}

func (r *reader[T]) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.over, r.err = true, err
	}
	r.notify()
}

func (r *reader[T]) notify() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take returns all that is waiting, or else whether it is over and why.
func (r *reader[T]) take() (values []T, over bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) > 0 {
		values, r.queue, r.bytes = r.queue, nil, 0
		return values, false, nil
	}
	return nil, r.over, r.err
}

// all ranges over what comes until the end, or the context's, which is told as an error as any
// other than yours. stop is called once nothing more is wanted.
func (r *reader[T]) all(ctx context.Context, stop func()) iter.Seq2[T, error] {
	var none T
	return func(yield func(T, error) bool) {
		defer stop()
		for {
			values, over, err := r.take()
			for _, value := range values {
				if ctx.Err() != nil {
					yield(none, context.Cause(ctx))
					return
				}
				if !yield(value, nil) {
					return
				}
			}
			if over {
				if err != nil {
					yield(none, err)
				}
				return
			}
			if len(values) > 0 {
				continue
			}
			select {
			case <-r.wake:
			case <-ctx.Done():
				yield(none, context.Cause(ctx))
				return
			}
		}
	}
}
