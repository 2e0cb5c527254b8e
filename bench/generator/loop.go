package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"
	"unsafe"
)

// readBytes is what one read takes at most, and readBytesMax the largest frame that is waited for.
const (
	readBytes    = 1 << 20
	readBytesMax = 64 << 20
	eventsMax    = 1024
)

// loop is one epoll instance on one thread. A turn reads every socket that has something, lets the
// workload send, and writes each socket that got something to send once.
type loop struct {
	epoll  int
	timer  int
	events [eventsMax]syscall.EpollEvent
	conns  []*conn // by file descriptor
	dirty  []*conn
	buffer []byte
	origin time.Time
	// now is the time of the last read or wake-up, in nanoseconds since origin.
	now int64
	// calls counts reads and writes of all connections.
	calls uint64
	// endOfTurn is where the workload sends what is due.
	endOfTurn func()
	// laps counts the bytes that came on standard input, where that is heard.
	laps  int
	ended bool
}

func newLoop() (*loop, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	l := &loop{epoll: epoll, buffer: make([]byte, readBytes), origin: time.Now()}
	l.endOfTurn = func() {}
	timer, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, 1, syscall.O_NONBLOCK, 0)
	if errno != 0 {
		return nil, fmt.Errorf("timerfd_create: %w", errno)
	}
	l.timer = int(timer)
	return l, l.watch(l.timer, syscall.EPOLLIN, syscall.EPOLL_CTL_ADD)
}

func (l *loop) watch(fd int, events uint32, operation int) error {
	event := syscall.EpollEvent{Events: events, Fd: int32(fd)}
	return syscall.EpollCtl(l.epoll, operation, fd, &event)
}

// hear has each byte on standard input count as a lap, and its end be noticed.
func (l *loop) hear() error {
	if err := syscall.SetNonblock(syscall.Stdin, true); err != nil {
		return err
	}
	return l.watch(syscall.Stdin, syscall.EPOLLIN, syscall.EPOLL_CTL_ADD)
}

func (l *loop) heard() error {
	var bytes [16]byte
	n, errno := read(syscall.Stdin, bytes[:])
	if errno != 0 {
		return errno
	}
	l.laps += n
	l.ended = n == 0
	return nil
}

func (l *loop) add(c *conn) error {
	for len(l.conns) <= c.fd {
		l.conns = append(l.conns, nil)
	}
	l.conns[c.fd] = c
	return l.watch(c.fd, syscall.EPOLLIN, syscall.EPOLL_CTL_ADD)
}

// clock reads the time anew.
func (l *loop) clock() int64 {
	l.now = int64(time.Since(l.origin))
	return l.now
}

// wake makes a turn happen after so many nanoseconds: epoll's own timeout counts milliseconds,
// which would add to every latency of an open loop.
func (l *loop) wake(after int64) {
	spec := [4]int64{0, 0, 0, max(after, 1)}
	if spec[3] >= int64(time.Second) {
		spec[2], spec[3] = spec[3]/int64(time.Second), spec[3]%int64(time.Second)
	}
	syscall.RawSyscall6(syscall.SYS_TIMERFD_SETTIME, uintptr(l.timer), 0,
		uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
}

var errTimeout = errors.New("timed out")

// run takes turns until done says so. It fails with errTimeout where that takes longer than limit.
func (l *loop) run(limit time.Duration, done func() bool) error {
	deadline := l.clock() + int64(limit)
	for !done() {
		left := deadline - l.clock()
		if left <= 0 {
			return errTimeout
		}
		if err := l.turn(min(int(left/int64(time.Millisecond))+1, 100)); err != nil {
			return err
		}
	}
	return nil
}

// during takes turns for a time.
func (l *loop) during(span time.Duration) error {
	if err := l.run(span, func() bool { return false }); !errors.Is(err, errTimeout) {
		return err
	}
	return nil
}

func (l *loop) turn(timeoutMs int) error {
	count, err := syscall.EpollWait(l.epoll, l.events[:], timeoutMs)
	if err != nil && err != syscall.EINTR {
		return fmt.Errorf("epoll_wait: %w", err)
	}
	l.clock()
	for i := range max(count, 0) {
		if err := l.handle(&l.events[i]); err != nil {
			return err
		}
	}
	l.endOfTurn()
	for _, c := range l.dirty {
		if err := c.flush(); err != nil {
			return err
		}
	}
	l.dirty = l.dirty[:0]
	return nil
}

func (l *loop) handle(event *syscall.EpollEvent) error {
	if int(event.Fd) == l.timer {
		var expirations [8]byte
		read(l.timer, expirations[:])
		return nil
	}
	if int(event.Fd) == syscall.Stdin {
		return l.heard()
	}
	c := l.conns[event.Fd]
	if event.Events&syscall.EPOLLOUT != 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if event.Events&^syscall.EPOLLOUT != 0 {
		return c.receive()
	}
	return nil
}

// read and write enter the kernel without telling Go's scheduler: the sockets never block, and
// there is nothing else to schedule.
func read(fd int, into []byte) (int, syscall.Errno) {
	return transfer(syscall.SYS_READ, fd, into)
}

func write(fd int, from []byte) (int, syscall.Errno) {
	return transfer(syscall.SYS_WRITE, fd, from)
}

func transfer(call uintptr, fd int, data []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(call, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
