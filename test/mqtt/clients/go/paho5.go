package main

import (
	"context"
	"fmt"
	"net"

	"github.com/eclipse/paho.golang/paho"
)

// paho5 speaks MQTT 5.
type paho5 struct{ *paho.Client }

func connect5(given options) (client, error) {
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", given.port))
	if err != nil {
		return nil, err
	}
	hear := func(received paho.PublishReceived) (bool, error) {
		heard(received.Packet.QoS, received.Packet.Topic, received.Packet.Payload)
		return true, nil
	}
	connected := paho5{paho.NewClient(paho.ClientConfig{
		ClientID:          given.id,
		Conn:              conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){hear},
	})}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := connected.Connect(ctx, &paho.Connect{
		ClientID:     given.id,
		CleanStart:   true,
		KeepAlive:    30,
		UsernameFlag: given.user != "",
		Username:     given.user,
		PasswordFlag: given.password != "",
		Password:     []byte(given.password),
	})
	if answer != nil && answer.ReasonCode != 0 {
		return nil, fmt.Errorf("refused with 0x%02x", answer.ReasonCode)
	}
	return connected, err
}

func (c paho5) subscribe(filter string, qos byte) (byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	subscriptions := []paho.SubscribeOptions{{Topic: filter, QoS: qos}}
	answer, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: subscriptions})
	if answer == nil {
		return 0, err
	}
	return answer.Reasons[0], nil
}

func (c paho5) publish(topic string, qos byte, message string) (byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := c.Publish(ctx, &paho.Publish{Topic: topic, QoS: qos, Payload: []byte(message)})
	if answer == nil {
		return 0, err
	}
	return answer.ReasonCode, nil
}

func (c paho5) disconnect() error {
	return c.Disconnect(&paho.Disconnect{})
}
