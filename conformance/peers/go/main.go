// The Go client as a peer of the conformance runner: it does what it is told on stdin with the
// client's public API, and tells on stdout what came of it (peer.proto).
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	conformancev1 "github.com/porthouse/porthouse/conformance/peers/go/gen/porthouse/conformance/v1"
	"google.golang.org/protobuf/proto"
)

// No message of a runner is longer.
const messageMax = 64 << 20

func main() {
	log.SetFlags(0)
	input := bufio.NewReader(os.Stdin)
	must(tell(&conformancev1.ClientHello{
		Name:       "porthouse-go 0.1.0",
		Transports: []conformancev1.Transport{conformancev1.Transport_TRANSPORT_WEBSOCKET},
		Features: []string{
			"history", "cursor", "presence", "resume", "reconnect", "idempotency", "nested-locks",
			"prompts", "password", "preset", "direct", "commands", "heartbeat", "bounds",
			"key", "signing",
		},
	}))
	for {
		request := &conformancev1.ClientRequest{}
		err := read(input, request)
		if errors.Is(err, io.EOF) {
			return
		}
		must(err)
		must(tell(&conformancev1.ClientResponse{Outcomes: run(request)}))
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// read reads a message after its length in four bytes, most significant first.
func read(from io.Reader, message proto.Message) error {
	var length uint32
	if err := binary.Read(from, binary.BigEndian, &length); err != nil {
		return err
	}
	if length > messageMax {
		return fmt.Errorf("a message of %d bytes", length)
	}
	bytes := make([]byte, length)
	if _, err := io.ReadFull(from, bytes); err != nil {
		return fmt.Errorf("the input ends within a message: %v", err)
	}
	return proto.Unmarshal(bytes, message)
}

func tell(message proto.Message) error {
	bytes, err := proto.Marshal(message)
	if err != nil {
		return err
	}
	framed := binary.BigEndian.AppendUint32(nil, uint32(len(bytes)))
	_, err = os.Stdout.Write(append(framed, bytes...))
	return err
}
