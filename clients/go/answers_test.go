package porthouse

import (
	"context"
	"errors"
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	porthousev1 "github.com/porthouse/porthouse/clients/go/gen/porthouse/v1"
)

func prompt(echoes ...bool) *porthousev1.Challenge {
	asked := &porthousev1.Prompts{}
	for _, echo := range echoes {
		asked.Prompts = append(asked.Prompts, &porthousev1.Prompt{Text: "?", Echo: echo})
	}
	return &porthousev1.Challenge{Ask: &porthousev1.Challenge_Prompts{Prompts: asked}}
}

func data(of string) *porthousev1.Challenge {
	return &porthousev1.Challenge{Ask: &porthousev1.Challenge_Data{Data: []byte(of)}}
}

type answerCase struct {
	answerer  Answerer
	challenge *porthousev1.Challenge
	// The text form of the Answer, unless an error is due.
	want string
	err  error
}

func (c answerCase) check(t *testing.T) {
	answer, err := c.answerer.Answer(t.Context(), &Exchange{Challenge: c.challenge})
	if !errors.Is(err, c.err) {
		t.Fatalf("%v, want %v", err, c.err)
	}
	if c.err != nil {
		return
	}
	want := &porthousev1.Answer{}
	if err := prototext.Unmarshal([]byte(c.want), want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(answer, want) {
		t.Errorf("%v, want %v", answer, want)
	}
}

func word(context.Context) (string, error) { return "word", nil }

func TestAnswers(t *testing.T) {
	plain := &porthousev1.Challenge{}
	password := Password("acme/anna", "word")
	none := func(context.Context) (string, error) { return "", ErrPass }
	echo := func(challenge []byte) ([]byte, error) { return challenge, nil }
	ask := func(_ context.Context, asked *porthousev1.Prompts) ([]string, error) {
		return make([]string, len(asked.GetPrompts())), nil
	}
	for name, each := range map[string]answerCase{
		"token ahead":    {Token("pht_x"), nil, `text: "pht_x"`, nil},
		"password ahead": {password, nil, "", ErrPass},
		"password and client": {
			password, prompt(true, false),
			`responses: {values: "client:acme/anna" values: "word"}`, nil,
		},
		"password alone": {
			PasswordFunc("acme/anna", word), prompt(false), `responses: {values: "word"}`, nil,
		},
		"password of none":         {PasswordFunc("acme/anna", none), prompt(false), "", ErrPass},
		"password to be seen":      {password, prompt(true), "", ErrPass},
		"password among others":    {password, prompt(true, false, false), "", ErrPass},
		"preset ahead":             {Preset([]byte("me")), nil, `data: "me"`, nil},
		"preset":                   {Preset([]byte("me")), data("who?"), `data: "me"`, nil},
		"preset of another ask":    {Preset([]byte("me")), plain, "", ErrPass},
		"preset by challenge":      {PresetFunc(echo), data("who?"), `data: "who?"`, nil},
		"preset by challenge only": {PresetFunc(echo), nil, "", ErrPass},
		"knock ahead":              {Knock("me"), nil, "", ErrPass},
		"knock":                    {Knock("me"), plain, `text: "me"`, nil},
		"knock where asked":        {Knock("me"), prompt(true), `responses: {values: "me"}`, nil},
		"prompts": {
			Prompts(ask), prompt(true, true), `responses: {values: "" values: ""}`, nil,
		},
		"prompts of nothing": {Prompts(ask), plain, "", ErrPass},
	} {
		t.Run(name, each.check)
	}
}

func TestAnswersOfPersons(t *testing.T) {
	plain := &porthousev1.Challenge{}
	visit := &porthousev1.Challenge{Ask: &porthousev1.Challenge_Visit{
		Visit: &porthousev1.Visit{Url: "https://id.example/device", UserCode: "BDWP-HQPK"},
	}}
	visited := ""
	device := DeviceFlow(func(_ context.Context, v *porthousev1.Visit) { visited = v.GetUserCode() })
	for name, each := range map[string]answerCase{
		"bearer ahead":          {Bearer("e.y.J"), nil, `text: "e.y.J"`, nil},
		"bearer":                {Bearer("e.y.J"), plain, `text: "e.y.J"`, nil},
		"bearer of a visit":     {Bearer("e.y.J"), visit, "", ErrPass},
		"bearer to fetch":       {BearerFunc(word), plain, `text: "word"`, nil},
		"bearer to fetch ahead": {BearerFunc(word), nil, "", ErrPass},
		"device ahead":          {device, nil, "", ErrPass},
		"device":                {device, plain, `text: "device"`, nil},
		"device that is told":   {device, visit, "", ErrWait},
		"device of another ask": {device, data("x"), "", ErrPass},
	} {
		t.Run(name, each.check)
	}
	if visited != "BDWP-HQPK" {
		t.Errorf("visited with %q", visited)
	}
}
