package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strconv"
)

// histogram counts durations in buckets of about 1.5 %: the power of two and the six bits after it.
type histogram struct {
	buckets [64 << fineBits]uint64
	count   uint64
}

const fineBits = 6

func (h *histogram) record(nanoseconds int64) {
	value := uint64(max(nanoseconds, 1)) + 1<<fineBits
	power := bits.Len64(value) - 1 - fineBits
	h.buckets[power<<fineBits|int(value>>power&(1<<fineBits-1))]++
	h.count++
}

// quantile gives milliseconds, the lower bound of the bucket; 0 where nothing was recorded.
func (h *histogram) quantile(q float64) float64 {
	rank, seen := uint64(q*float64(h.count)), uint64(0)
	for i, n := range h.buckets {
		seen += n
		if n > 0 && seen > rank {
			power := i >> fineBits
			value := (uint64(i&(1<<fineBits-1)) | 1<<fineBits) << power
			return float64(value-1<<fineBits) / 1e6
		}
	}
	return 0
}

// ticksPerSecond is USER_HZ, the unit of /proc/PID/stat, which Linux keeps at 100 for programs.
const ticksPerSecond = 100

// cpuSeconds is what all threads of a process have used, in user and in kernel mode (proc(5)).
func cpuSeconds(pid int) (float64, error) {
	const utime, stime = 14 - 3, 15 - 3
	return statSeconds(pid, utime, stime)
}

// cpuSecondsWithChildren adds what its children have used, those that have ended among them.
func cpuSecondsWithChildren(pid int) (float64, error) {
	const utime, stime, cutime, cstime = 14 - 3, 15 - 3, 16 - 3, 17 - 3
	seconds, err := statSeconds(pid, utime, stime, cutime, cstime)
	if err != nil {
		return 0, err
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return 0, err
	}
	for _, child := range bytes.Fields(children) {
		id, err := strconv.Atoi(string(child))
		if err != nil {
			return 0, err
		}
		// One that has just ended is counted with its parent.
		used, err := cpuSeconds(id)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return 0, err
		}
		seconds += used
	}
	return seconds, nil
}

func statSeconds(pid int, wanted ...int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the command in parentheses, may hold spaces.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) <= wanted[len(wanted)-1] {
		return 0, fmt.Errorf("process %d: %q is no stat line", pid, stat)
	}
	ticks := 0
	for _, i := range wanted {
		n, err := strconv.Atoi(string(fields[i]))
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return float64(ticks) / ticksPerSecond, nil
}
