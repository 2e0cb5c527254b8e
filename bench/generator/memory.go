package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// residentBytes is what a process has in memory (proc(5), statm).
func residentBytes(pid int) (int, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		return 0, fmt.Errorf("process %d: %q is no statm line", pid, statm)
	}
	pages, err := strconv.Atoi(string(fields[1]))
	return pages * os.Getpagesize(), err
}

// farEnd is the server's end of a connection, as a descriptor of the server's process. What the
// server does with it cannot be seen from our end once that has stopped reading.
type farEnd struct{ path, socket string }

// findFarEnd looks for the server's descriptor of the connection between two ports on loopback.
func findFarEnd(pid, server, client int) (farEnd, error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return farEnd{}, err
	}
	ends := fmt.Appendf(nil, "0100007F:%04X 0100007F:%04X", server, client)
	_, line, found := bytes.Cut(table, ends)
	// After the two ends: state, queues, timer, retransmits, user, timeout, inode.
	fields := bytes.Fields(line)
	if !found || len(fields) < 7 {
		return farEnd{}, fmt.Errorf("no socket from %d to %d", server, client)
	}
	socket := fmt.Sprintf("socket:[%s]", fields[6])
	folder := fmt.Sprintf("/proc/%d/fd/", pid)
	descriptors, err := os.ReadDir(folder)
	if err != nil {
		return farEnd{}, err
	}
	for _, descriptor := range descriptors {
		end := farEnd{folder + descriptor.Name(), socket}
		if end.isOpen() {
			return end, nil
		}
	}
	return farEnd{}, fmt.Errorf("process %d has no %s", pid, socket)
}

func (f farEnd) isOpen() bool {
	socket, err := os.Readlink(f.path)
	return err == nil && socket == f.socket
}
