package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"
)

// stalled is W5: a fan-out in an open loop, and one member, the last, who stops reading.
type stalled struct {
	fanout
	pid  int
	slow *conn
	// far is the server's end of the slow one's connection.
	far farEnd
	// resident is the most that the server had in memory since it was last set to 0.
	resident int
	nextLook int64
	// began is when the slow one stopped, and closed when the server was seen to have closed it; 0:
	// not.
	began, closed int64
	failure       error
}

// withheld is what one reader who stalls has done to the others.
type withheld struct {
	// Share of what was due to the others that they got.
	Share float64 `json:"share"`
	// Milliseconds, before and while the slow one stalls.
	Before float64 `json:"before"`
	During float64 `json:"during"`
	// Most resident bytes of the server, before and meanwhile.
	ResidentBefore int `json:"residentBefore"`
	ResidentDuring int `json:"residentDuring"`
	// ShedAfter is how many seconds after it stopped reading the server closed its connection, or
	// was due to send the first message that it never got. -1: neither happened.
	ShedAfter float64 `json:"shedAfter"`
	// Closed: the former.
	Closed bool `json:"closed"`
	// Due is how many bytes of payload it was to get meanwhile.
	Due int `json:"due"`
}

const (
	// slowBuffer keeps short what the kernel takes in for who does not read.
	slowBuffer = 8 << 10
	// stallFor is how long it does not read; the kernel takes in about a third of what is due.
	stallFor = 10 * time.Second
	// lookEvery is the time between two looks at the server.
	lookEvery = 100 * time.Millisecond
	// graceForOthers is how long what was sent last may take.
	graceForOthers = time.Second
	// resumeLimit bounds how long the slow one reads on at the end.
	resumeLimit = 5 * time.Second
)

func measureStalled(o options, pid int, warmup, span time.Duration, print func(any) error) error {
	o.lastBuffer = slowBuffer
	s := &stalled{fanout: fanout{options: o}, pid: pid}
	// A fan-out keeps what is not with all members yet.
	if due := o.rate * stallFor.Seconds(); due < 1 || due > flightsMax || o.members < 2 {
		return fmt.Errorf("members ≥ 2 and 1 to %d messages in %s are needed", flightsMax, stallFor)
	}
	return drive(s, warmup, func(l *loop) error {
		found, err := s.measure(l, span)
		if err != nil {
			return err
		}
		return print(found)
	})
}

func (s *stalled) measure(l *loop, span time.Duration) (*withheld, error) {
	of := processes{server: s.pid}
	if err := s.find(l); err != nil {
		return nil, err
	}
	before, err := measure(l, &s.count, of, func() error { return l.during(span) })
	if err != nil {
		return nil, err
	}
	found := &withheld{Before: before.P99, ResidentBefore: s.resident, ShedAfter: -1}
	if err := l.watch(s.slow.fd, 0, syscall.EPOLL_CTL_DEL); err != nil {
		return nil, err
	}
	s.resident, s.began = 0, l.clock()
	first := s.next
	during, err := measure(l, &s.count, of, func() error { return l.during(stallFor) })
	if err != nil {
		return nil, err
	}
	s.count.stopped = true
	if err := l.during(graceForOthers); err != nil {
		return nil, err
	}
	due := int(s.next - first)
	found.Due = due * s.size
	found.Share = float64(s.othersHad(first)) / float64(due*(s.members-1))
	found.During, found.ResidentDuring = during.P99, s.resident
	if found.Closed = s.closed > 0; found.Closed {
		found.ShedAfter = float64(s.closed-s.began) / 1e9
		return found, s.failure
	}
	if missed := s.resume(l); missed > 0 {
		found.ShedAfter = float64(max(missed-s.began, 0)) / 1e9
	}
	return found, s.failure
}

// find looks for the server's end of the slow one's connection.
func (s *stalled) find(l *loop) error {
	for _, c := range l.conns {
		if c != nil && c.index == s.members-1 {
			s.slow = c
		}
	}
	name, err := syscall.Getsockname(s.slow.fd)
	if err != nil {
		return err
	}
	client := name.(*syscall.SockaddrInet4).Port
	s.far, err = findFarEnd(s.pid, int(s.address.Port()), client)
	s.resident = 0
	return err
}

// othersHad counts what all but the slow one got from a number on.
func (s *stalled) othersHad(first uint32) (count int) {
	for _, expected := range s.expected[:s.members-1] {
		count += int(max(expected, first) - first)
	}
	return count
}

// send looks at the server now and then as well.
func (s *stalled) send(l *loop) {
	s.fanout.send(l)
	if s.slow == nil || l.now < s.nextLook {
		return
	}
	s.nextLook = l.now + int64(lookEvery)
	resident, err := residentBytes(s.pid)
	s.failure = errors.Join(s.failure, err)
	s.resident = max(s.resident, resident)
	if s.began > 0 && s.closed == 0 && !s.far.isOpen() {
		s.closed = l.now
	}
}

// resume has the slow one read on, and gives the time at which the first message that it misses was
// due; 0: it misses none.
func (s *stalled) resume(l *loop) (due int64) {
	deadline := l.clock() + int64(resumeLimit)
	for s.expected[s.members-1] < s.next && l.clock() < deadline {
		// What ends this is a gap, the end of the stream, or that it has all. Pongs have to go out.
		if err := errors.Join(s.slow.receive(), s.slow.flush()); err != nil {
			break
		}
		time.Sleep(100 * time.Microsecond)
	}
	if number := s.expected[s.members-1]; number < s.next {
		return s.flights[number%flightsMax].due
	}
	return 0
}
