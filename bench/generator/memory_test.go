package main

import (
	"net"
	"os"
	"testing"
)

func TestTheFarEndIsSeenToClose(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	near, err := net.Dial("tcp4", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	port := func(a net.Addr) int { return a.(*net.TCPAddr).Port }
	far, err := findFarEnd(os.Getpid(), port(near.RemoteAddr()), port(near.LocalAddr()))
	if err != nil || !far.isOpen() {
		t.Fatalf("not found: %v", err)
	}
	server.Close()
	if far.isOpen() {
		t.Error("closed, and yet open")
	}
	if _, err := findFarEnd(os.Getpid(), port(near.LocalAddr()), 1); err == nil {
		t.Error("found what is not there")
	}
}

func TestResidentMemoryGrowsByWhatIsTouched(t *testing.T) {
	const size = 64 << 20
	before, err := residentBytes(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	touched := make([]byte, size)
	for i := 0; i < size; i += os.Getpagesize() {
		touched[i] = 1
	}
	after, err := residentBytes(os.Getpid())
	if err != nil || after-before < size/2 || touched[0] != 1 {
		t.Errorf("%v: from %d to %d", err, before, after)
	}
}
