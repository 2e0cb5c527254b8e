package main

import (
	"encoding/hex"
	"errors"
	"strings"
	"time"

	porthouse "github.com/porthouse/porthouse/clients/go"
	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
	conformancev1 "github.com/porthouse/porthouse/conformance/peers/go/gen/porthouse/conformance/v1"
)

// What the client tells, as the runner reads it.

func done() *conformancev1.Outcome {
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_Done{Done: &conformancev1.Done{}}}
}

func timedOut() *conformancev1.Outcome {
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_TimedOut{TimedOut: true}}
}

func failed(err error) *conformancev1.Outcome {
	failure := &conformancev1.Failure{OwnCode: err.Error()}
	var known *porthouse.Error
	if errors.As(err, &known) {
		failure.Code, failure.OwnCode = codeFields(known.Code)
		failure.Temporary = known.Temporary()
		failure.RetryAfterMs = uint32(known.RetryAfter.Milliseconds())
	}
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_Failure{Failure: failure}}
}

func receiptOutcome(receipt *porthouse.Receipt) *conformancev1.Outcome {
	if receipt == nil {
		return done()
	}
	wire := &porthousev1.Receipt{
		Status:   porthousev1.ReceiptStatus(receipt.Status),
		Id:       uuidBytes(receipt.ID),
		Sockets:  uint32(receipt.Sockets),
		Sequence: receipt.Sequence,
		Epoch:    receipt.Epoch,
	}
	wire.Code, _ = codeFields(receipt.Code)
	for _, each := range receipt.Rejections {
		code, _ := codeFields(each.Code)
		wire.Rejections = append(wire.Rejections, &porthousev1.Rejection{
			Address: each.Address, Code: code, Detail: each.Detail,
		})
	}
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_Receipt{Receipt: wire}}
}

func heardOutcome(messages []porthouse.Message) *conformancev1.Outcome {
	told := &conformancev1.Heard{}
	for _, message := range messages {
		told.Messages = append(told.Messages, envelopeOf(&message))
	}
	return &conformancev1.Outcome{Result: &conformancev1.Outcome_Heard{Heard: told}}
}

var replays = map[porthouse.Replay]porthousev1.Replay{
	porthouse.ReplayHistory:  porthousev1.Replay_REPLAY_HISTORY,
	porthouse.ReplaySession:  porthousev1.Replay_REPLAY_SESSION,
	porthouse.ReplayRetained: porthousev1.Replay_REPLAY_RETAINED,
}

func envelopeOf(m *porthouse.Message) *porthousev1.Envelope {
	envelope := &porthousev1.Envelope{
		Stamp: &porthousev1.Stamp{
			Id:       uuidBytes(m.ID),
			From:     m.From,
			Target:   m.Address,
			Channel:  m.Channel,
			Sequence: m.Sequence,
			Epoch:    m.Epoch,
			TimeMs:   uint64(m.Time.UnixMilli()),
			Replay:   replays[m.Replay],
		},
		ContentType:   m.ContentType,
		Headers:       m.Headers,
		ReplyTo:       m.ReplyTo,
		CorrelationId: m.CorrelationID,
		ExpiresAfter:  uint32(m.ExpiresAfter / time.Second),
		Quality:       m.Quality,
		Content:       &porthousev1.Envelope_Payload{Payload: m.Payload},
	}
	if m.Text != "" {
		envelope.Content = &porthousev1.Envelope_Text{Text: m.Text}
	}
	return envelope
}

func uuidBytes(text string) []byte {
	bytes, _ := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	return bytes
}
