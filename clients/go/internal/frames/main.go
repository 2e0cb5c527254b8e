// Frames answers each line of standard input by a line: "decode" and a packet in hexadecimal by the
// packet as Protobuf JSON, "encode" and Protobuf JSON by the packet in hexadecimal. It is how the
// tests of conformance/frames ask the generated code what it makes of a packet.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"os"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

func main() {
	log.SetFlags(0)
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// answerAll reads r to its end. What cannot be done is answered by "error: " and why.
func answerAll(r io.Reader, w io.Writer) error {
	in, out := bufio.NewReader(r), bufio.NewWriter(w)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		result, err := answer(bytes.TrimSuffix(line, []byte("\n")))
		if err != nil {
			result = fmt.Appendf(nil, "error: %v", err)
		}
		out.Write(result)
		out.WriteByte('\n')
	}
}

func answer(line []byte) ([]byte, error) {
	verb, rest, _ := bytes.Cut(line, []byte(" "))
	packet := new(porthousev1.Packet)
	switch string(verb) {
	case "decode":
		wire, err := hex.AppendDecode(nil, rest)
		if err != nil {
			return nil, err
		}
		if err := proto.Unmarshal(wire, packet); err != nil {
			return nil, err
		}
		return protojson.Marshal(packet)
	case "encode":
		read := protojson.UnmarshalOptions{DiscardUnknown: true}
		if err := read.Unmarshal(rest, packet); err != nil {
			return nil, err
		}
		wire, err := proto.MarshalOptions{Deterministic: true}.Marshal(packet)
		return hex.AppendEncode(nil, wire), err
	}
	return nil, fmt.Errorf("no such verb: %q", verb)
}
